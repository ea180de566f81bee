import type { Guest } from './guest.ts'

/** A virtual machine. Plain data: an equal one needs no restart. */
export interface Machine extends Guest {
  /** Nova's name for it: `instance-0000000f`. */
  readonly label: string
  readonly memoryMib: number
  readonly vcpus: number
  /** What a disk of its own is made from, at its first start; null: it has none (kernel and initrd are all). */
  readonly image: DiskImage | null
  /** GiB its disk is at least given. */
  readonly diskGib: number
  /** Paths; with a kernel no boot loader is asked. */
  readonly kernel: string | null
  readonly initrd: string | null
  readonly commandLine: string
  /** How its config drive is shown to it; null: it gets none. */
  readonly drive: 'cdrom' | 'disk' | null
}

export interface DiskImage {
  readonly path: string
  readonly format: 'raw' | 'qcow2'
}

/** What a machine keeps on disk, by path. */
export interface MachineFiles {
  readonly folder: string
  readonly disk: string
  readonly drive: string
  readonly console: string
  /** QEMU's control socket. */
  readonly monitor: string
  readonly pidFile: string
  /** What libvirt was given. */
  readonly domain: string
  /** How it was started, for the next run of ours. */
  readonly record: string
}
