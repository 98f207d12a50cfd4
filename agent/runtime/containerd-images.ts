import { createHash } from 'node:crypto';
import { RecentlyUsed } from '../../shared/recently-used.ts';
import { CommandError } from '../host/command.ts';
import { type Ctr, ctrError } from './ctr.ts';
import type { ImageConfig } from './runtime.ts';

export interface UnpackedImage extends ImageConfig {
  /** Name of the snapshot that holds all its layers. */
  chainId: string;
}

interface ImageRow {
  name: string;
  digest: string;
  sizeBytes: number;
}

/** The parts of OCI manifests, indexes and configs that are read here. */
interface Manifest {
  config?: { digest: string };
  manifests?: { digest: string; platform?: { architecture: string; os: string } }[];
}

interface OciImageConfig {
  config?: {
    Entrypoint?: string[];
    Cmd?: string[];
    Env?: string[];
    User?: string;
    WorkingDir?: string;
    StopSignal?: string;
  };
  rootfs: { diff_ids: string[] };
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
};

const MAX_CONFIGS = 128;

/** Images as containerd knows them. What a digest says never changes, so it is read once; only the last used are kept. */
export class ContainerdImages {
  readonly #ctr: Ctr;
  readonly #architecture: string;
  readonly #byDigest = new RecentlyUsed<Omit<UnpackedImage, 'imageId'>>(MAX_CONFIGS);

  /** `architecture` as Node's process.arch. */
  constructor(ctr: Ctr, architecture: string) {
    this.#ctr = ctr;
    this.#architecture = ARCHITECTURES[architecture] ?? architecture;
  }

  async config(reference: string): Promise<UnpackedImage | undefined> {
    const row = (await this.#rows([`name==${reference}`]))[0];
    if (row === undefined) return undefined;
    const known = this.#byDigest.get(row.digest) ?? (await this.#read(row.digest));
    this.#byDigest.set(row.digest, known);
    return { ...known, imageId: `${repositoryOf(reference)}@${row.digest}` };
  }

  async list(): Promise<{ names: string[]; sizeBytes: number }[]> {
    const byDigest = new Map<string, { names: string[]; sizeBytes: number }>();
    for (const { name, digest, sizeBytes } of await this.#rows([])) {
      const image = byDigest.get(digest) ?? { names: [], sizeBytes };
      const withDigest = `${repositoryOf(name)}@${digest}`;
      if (!image.names.includes(withDigest)) image.names.unshift(withDigest);
      image.names.push(name);
      byDigest.set(digest, image);
    }
    return [...byDigest.values()];
  }

  async pull(reference: string): Promise<void> {
    try {
      await this.#ctr.call(['images', 'pull', reference], { timeoutMs: 3_600_000 });
    } catch (error) {
      throw ctrError('ErrImagePull', error);
    }
  }

  async #rows(filters: readonly string[]): Promise<ImageRow[]> {
    const out = await this.#ctr.call(['images', 'ls', ...filters]);
    return imageRows(out);
  }

  async #read(digest: string): Promise<Omit<UnpackedImage, 'imageId'>> {
    let manifest = await this.#content<Manifest>(digest);
    if (manifest.manifests !== undefined) {
      const own = manifest.manifests.find(
        ({ platform }) => platform?.os === 'linux' && platform.architecture === this.#architecture,
      );
      const chosen = own ?? manifest.manifests[0];
      if (chosen === undefined) throw new Error(`image index ${digest} is empty`);
      manifest = await this.#content<Manifest>(chosen.digest);
    }
    if (manifest.config === undefined) throw new Error(`${digest} is not an image`);
    const { config = {}, rootfs } = await this.#content<OciImageConfig>(manifest.config.digest);
    return {
      chainId: chainId(rootfs.diff_ids),
      entrypoint: config.Entrypoint ?? [],
      cmd: config.Cmd ?? [],
      env: config.Env ?? [],
      user: config.User ?? '',
      workingDir: config.WorkingDir ?? '',
      stopSignal: config.StopSignal ?? '',
    };
  }

  async #content<T>(digest: string): Promise<T> {
    const out = await this.#ctr.call(['content', 'get', digest]);
    try {
      return JSON.parse(out) as T;
    } catch {
      throw new CommandError('exit', `ctr: content ${digest} is not JSON`, { stdout: out });
    }
  }
}

/** OCI image specification, "Layer ChainID". */
export function chainId(diffIds: readonly string[]): string {
  const [first = '', ...others] = diffIds;
  return others.reduce(
    (chain, diff) => `sha256:${createHash('sha256').update(`${chain} ${diff}`).digest('hex')}`,
    first,
  );
}

/** The table of `ctr images ls`: REF TYPE DIGEST SIZE PLATFORMS LABELS, where SIZE is two words. */
export function imageRows(table: string): ImageRow[] {
  const rows: ImageRow[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [name, , digest, amount, unit] = line.split(/\s+/);
    if (name === undefined || digest === undefined) continue;
    rows.push({ name, digest, sizeBytes: Math.round(Number(amount) * (UNITS[unit ?? ''] ?? 1)) });
  }
  return rows;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
