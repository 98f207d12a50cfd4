/** What the hardware is, from systeminformation; gathered once per boot by a short-lived child. */
export interface Inventory {
  manufacturer: string;
  model: string;
  /** Revision code of a Raspberry Pi, '' elsewhere. */
  raspberryPiRevision: string;
  cpuBrand: string;
  physicalCores: number;
  disks: { device: string; type: string; name: string; sizeBytes: number }[];
}

/** Annotations that show the inventory on the Node object, all under hardware.skerry.dev/. */
export function inventoryAnnotations(inventory: Inventory): Record<string, string> {
  const all: Record<string, string> = {
    'hardware.skerry.dev/manufacturer': inventory.manufacturer,
    'hardware.skerry.dev/model': inventory.model,
    'hardware.skerry.dev/raspberry-pi-revision': inventory.raspberryPiRevision,
    'hardware.skerry.dev/cpu': inventory.cpuBrand,
    'hardware.skerry.dev/physical-cores':
      inventory.physicalCores > 0 ? String(inventory.physicalCores) : '',
    'hardware.skerry.dev/disks': inventory.disks
      .map(({ device, type, name, sizeBytes }) =>
        [device, type, name, sizeBytes].filter((part) => part !== '').join(' '),
      )
      .join('; '),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}
