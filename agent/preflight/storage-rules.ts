import type { MachineSurvey, PreflightAim } from './facts.ts';
import { failure, ok, type Rule, type Verdict, warning } from './finding.ts';

const MIB = 1024 * 1024;
/** Less than this is no disk to begin on. */
const LEAST_BYTES = 200 * MIB;

/** Where the state lies. */
export const STORAGE_RULES: readonly Rule[] = [
  { id: 'disk', roles: 'all', judge: disk },
  {
    id: 'sd-card',
    roles: 'all',
    judge: ({ disk: { device, isSdCard } }) =>
      isSdCard
        ? ok(
            `the state is on an SD card (${device}): Skerry writes nothing while nothing changes; pods that write much belong on another disk`,
          )
        : undefined,
  },
  {
    id: 'swap',
    roles: 'all',
    judge: ({ disk: { swapOnSdCard } }) =>
      swapOnSdCard.length === 0
        ? undefined
        : warning(
            `swap on an SD card: ${swapOnSdCard.join(', ')}`,
            'swapping wears a card out within months, and stalls every pod meanwhile',
            'swap to compressed memory instead: apt-get install zram-tools, and dphys-swapfile swapoff && systemctl disable dphys-swapfile',
          ),
  },
];

function disk({ disk: found }: MachineSurvey, { role }: PreflightAim): Verdict {
  const { path, availableBytes, totalBytes, readOnly } = found;
  if (readOnly) {
    return failure(
      `${path} is mounted read-only`,
      'the state has to be written there',
      'mount it for writing (mount -o remount,rw); a card that turned read-only by itself is worn out: replace it',
    );
  }
  const space = `${Math.floor(availableBytes / MIB)} of ${Math.floor(totalBytes / MIB)} MiB free at ${path}`;
  if (availableBytes < LEAST_BYTES) {
    return failure(
      space,
      'with a full disk nothing that changes can be kept',
      'make room, or choose another disk with --data-dir',
    );
  }
  const goodBytes = (role === 'master' ? 512 : 1024) * MIB;
  if (availableBytes < goodBytes || availableBytes < totalBytes * 0.15) {
    return warning(
      space,
      'images need room, and below a tenth the node reports DiskPressure and takes no new pods',
      'make room, or choose another disk with --data-dir',
    );
  }
  return ok(space);
}
