import si from 'systeminformation';
import type { Inventory } from './inventory.ts';

/**
 * The short-lived child that asks systeminformation: it starts dozens of processes and holds tens of megabytes, which no resident
 * program should. Prints one Inventory as JSON.
 */
const [system, cpu, disks] = await Promise.all([si.system(), si.cpu(), si.diskLayout()]);
const inventory: Inventory = {
  manufacturer: known(system.manufacturer),
  model: known(system.model),
  raspberryPiRevision: known(system.raspberry?.revision ?? ''),
  cpuBrand: [known(cpu.manufacturer), known(cpu.brand)].filter((part) => part !== '').join(' '),
  physicalCores: cpu.physicalCores,
  disks: disks.map(({ device, type, name, size }) => ({
    device: known(device),
    type: known(type),
    name: known(name),
    sizeBytes: size,
  })),
};
process.stdout.write(JSON.stringify(inventory));

/** Drops the words that boards without a name answer with. */
function known(text: string): string {
  return /^(?:-|unknown|to be filled.*|default string|not specified|none)?$/i.test(text.trim())
    ? ''
    : text.trim();
}
