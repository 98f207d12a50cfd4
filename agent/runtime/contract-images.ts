import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';

export interface ContractImages {
  image: string;
  imageWithEntrypoint: string;
}

/** Own names for each test process, so that two runs on one machine do not take each other's image away. */
const IMAGES: ContractImages = {
  image: `localhost/skerry-contract-${process.pid}:plain`,
  imageWithEntrypoint: `localhost/skerry-contract-${process.pid}:entrypoint`,
};

/** Builds the two images of the contract from the machine's static busybox, without any registry. */
export async function importBusyboxImages(): Promise<ContractImages> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-image-'));
  try {
    await packRootFilesystem(folder);
    const base = ['import', '--quiet', '--change=ENV FROM_IMAGE=yes'];
    const tar = join(folder, 'root.tar');
    const cmd = '--change=CMD ["echo", "image cmd"]';
    await runCommand('podman', [...base, cmd, tar, IMAGES.image]);
    const entrypoint = '--change=ENTRYPOINT ["echo", "image entrypoint"]';
    await runCommand('podman', [...base, cmd, entrypoint, tar, IMAGES.imageWithEntrypoint]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return IMAGES;
}

export async function removeBusyboxImages(): Promise<void> {
  await runCommand('podman', ['rmi', '--force', IMAGES.image, IMAGES.imageWithEntrypoint], {
    allowFailure: true,
  });
}

async function packRootFilesystem(folder: string): Promise<void> {
  const root = join(folder, 'root');
  for (const name of ['bin', 'etc', 'tmp', 'run', 'proc', 'sys', 'dev']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  const found = await runCommand('sh', ['-c', 'command -v busybox']);
  copyFileSync(found.stdout.trim(), join(root, 'bin/busybox'));
  const applets = (await runCommand(found.stdout.trim(), ['--list'])).stdout.split('\n');
  for (const applet of applets) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  await runCommand('tar', ['-C', root, '-cf', join(folder, 'root.tar'), '.']);
}
