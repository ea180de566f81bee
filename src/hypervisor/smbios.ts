import { PRODUCT } from '../config-drive/product.ts'
import type { InstanceId } from '../inventory/records/ids.ts'

/** SMBIOS type 1 as Nova's guests see it, in order. By `product` a guest knows that it runs in OpenStack (ds-identify), by
 *  `uuid` cloud-init knows that it is still the same instance. Names are libvirt's and QEMU's alike. */
export function systemEntries(id: InstanceId, version: string): readonly (readonly [name: string, value: string])[] {
  return [
    ['manufacturer', PRODUCT.manufacturer],
    ['product', PRODUCT.name],
    ['version', version],
    ['serial', id],
    ['uuid', id],
    ['family', PRODUCT.family],
  ]
}
