/** Branded identifiers: passing a network where a port belongs is a compile error. On the wire all of them are plain text. */
declare const brand: unique symbol
export type Id<Noun extends string> = string & { readonly [brand]: Noun }

export type ProjectId = Id<'project'>
export type KeypairId = Id<'keypair'>
export type FlavorId = Id<'flavor'>
export type ImageId = Id<'image'>
export type SecurityGroupId = Id<'security group'>
export type NetworkId = Id<'network'>
export type SubnetId = Id<'subnet'>
export type PortId = Id<'port'>
export type RouterId = Id<'router'>
export type FloatingIpId = Id<'floating ip'>
/** The UUID of a server, which a guest knows as its instance. */
export type InstanceId = Id<'instance'>
