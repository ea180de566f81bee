/** A port of Open vSwitch as a device of ours is one. */
export interface SwitchPort {
  readonly bridge: string
  /** `iface-id` of its interface: by it ovn-controller knows the logical port. */
  readonly ifaceId: string
}

/** Open vSwitch on this machine, as far as ends of our veth pairs are its ports. */
export interface PortSwitch {
  /** Of the name of a device; the same object as long as nothing of it changes. */
  port(device: string): SwitchPort | undefined
  /** Names of those that carry our mark, also where their device is gone. */
  readonly ours: ReadonlySet<string>
  /** Makes a device a port of this bridge and of no other. @throws Error while the switch cannot be told */
  plug(device: string, port: SwitchPort): Promise<void>
  /** Resolves when the switch has let go of the device, or does not run: it would take a new device of the same name for
   *  the one it knows. @throws Error while the switch cannot be told */
  unplug(device: string): Promise<void>
  /** Calls back when somebody else has changed a port of ours, with what it was. @returns what ends it */
  onDrift(listener: (what: string) => void): () => void
}

/** A machine on which nothing is plugged into Open vSwitch. */
export const NO_SWITCH: PortSwitch = {
  port: () => undefined,
  ours: new Set(),
  plug: async (device) => {
    throw new Error(`${device} is to be a port of Open vSwitch, which this process does not speak to`)
  },
  unplug: async () => undefined,
  onDrift: () => () => undefined,
}
