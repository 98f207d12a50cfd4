/** A revision is `epoch · 2^40 + n`: the epoch rises when a master is restored from a backup, n with every write. */
const EPOCH_SIZE = 2 ** 40;

export function epochOf(revision: number): number {
  return Math.floor(revision / EPOCH_SIZE);
}

/** The first revision of an epoch. */
export function epochStart(epoch: number): number {
  return epoch * EPOCH_SIZE;
}
