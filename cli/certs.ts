import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { CERTIFICATE_END_ANNOTATION } from '../shared/wire/enrolment.ts';
import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { DATA_OUTPUT_OPTION, printData, readDataOutput } from './object-output.ts';
import { dataDirOf, viewDevice } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { alignColumns } from './table.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  'data-dir': {
    type: 'string',
    value: 'DIR',
    description: 'whose certificates to show (/var/lib/skerry)',
  },
  ...DATA_OUTPUT_OPTION,
  ...KUBECONFIG_OPTION,
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;

interface Shown {
  what: string;
  endsMs: number;
  renewal: string;
}

const HEADER = ['CERTIFICATE', 'ENDS', 'LEFT', 'RENEWED'];

/** What a data directory may hold: where, what it is for, and what renews it. */
const MASTER_FILES = [
  { file: 'ca.crt', what: 'authority of the cluster', renewal: 'never: it is the cluster' },
  { file: 'serving.crt', what: 'the port of the master', renewal: 'a year before its end' },
  { file: 'admin.crt', what: 'administrator (kubeconfig)', renewal: 'a year before its end' },
] as const;

export const certs = declareCommand({
  synopsis: ['certs show [--data-dir DIR] [-o json|yaml]'],
  about: `Shows the certificates on this machine and when they end; on a machine that has a kubeconfig those of the nodes too. They renew by
themselves: a node's when a third of its two years is left, and a known node also with one that has ended.`,
  options: OPTIONS,
  examples: [
    ['sudo skerry certs show', ''],
    ["sudo skerry certs show -o json | jq -r '.certificates[] | select(.daysLeft < 30).what'", ''],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 1 });
    if (positionals[0] !== 'show') throw new CommandFailure('expected `certs show`', 2);
    const output = readDataOutput(values.output);
    const dataDir = dataDirOf(values);
    const local = [...(await ofMaster(dataDir)), ...(await ofAgent(dataDir))];
    const nodes = await ofNodes(values.kubeconfig, local.length > 0);
    const shown = [...local, ...nodes];
    if (shown.length === 0) {
      throw new CommandFailure(
        `${dataDir} holds no certificates, and the cluster has no nodes: nothing was installed here yet`,
      );
    }
    const nowMs = Date.now();
    process.stdout.write(
      output === undefined
        ? alignColumns([HEADER, ...shown.map((one) => rowOf(one, nowMs))])
        : printData({ certificates: shown.map((one) => dataOf(one, nowMs)) }, output),
    );
    return 0;
  },
});

async function ofMaster(dataDir: string): Promise<Shown[]> {
  const shown = await Promise.all(
    MASTER_FILES.map(async ({ file, what, renewal }) => {
      const path = `${dataDir}/master/pki/${file}`;
      const pem = await textOf(path);
      return pem === undefined ? [] : [{ what, renewal, endsMs: endOf(pem, path) }];
    }),
  );
  return shown.flat();
}

async function ofAgent(dataDir: string): Promise<Shown[]> {
  const device = (await viewDevice(dataDir))?.device;
  if (device?.damage !== undefined) throw new CommandFailure(device.damage);
  const enrolment = device?.enrolment;
  if (enrolment === undefined) return [];
  const { nodeName, certificateEndsMs } = enrolment;
  return [{ what: `this device, node ${nodeName}`, endsMs: certificateEndsMs, renewal: NODE }];
}

const NODE = 'when a third is left';

/** As the Nodes tell it. Where there are certificates to show anyhow, a cluster that cannot be asked is passed over. */
async function ofNodes(kubeconfig: string | undefined, isOptional: boolean): Promise<Shown[]> {
  try {
    return await withClient(kubeconfig, async (client) => {
      const { items } = (await client.json('GET', '/api/v1/nodes')) as unknown as {
        items: { metadata: { name: string; annotations?: Record<string, string> } }[];
      };
      return items.flatMap(({ metadata: { name, annotations } }) => {
        const end = annotations?.[CERTIFICATE_END_ANNOTATION];
        return end === undefined
          ? []
          : [{ what: `node ${name}`, endsMs: Date.parse(end), renewal: NODE }];
      });
    });
  } catch (error) {
    if (isOptional && error instanceof CommandFailure) return [];
    throw error;
  }
}

function rowOf({ what, endsMs, renewal }: Shown, nowMs: number): string[] {
  const days = daysLeft(endsMs, nowMs);
  const left = days < 0 ? 'ended' : days > 730 ? `${Math.floor(days / 365)} years` : `${days} days`;
  return [what, new Date(endsMs).toISOString().slice(0, 10), left, renewal];
}

function dataOf({ what, endsMs, renewal }: Shown, nowMs: number): JsonObject {
  const ends = new Date(endsMs).toISOString();
  return { what, ends, daysLeft: daysLeft(endsMs, nowMs), renewed: renewal };
}

/** Whole days; negative when it has ended. */
function daysLeft(endsMs: number, nowMs: number): number {
  return Math.floor((endsMs - nowMs) / DAY_MS);
}

function endOf(pem: string, path: string): number {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    throw new CommandFailure(
      `${path} is damaged, it holds no certificate: put it back from a backup`,
    );
  }
}

/** Throws CommandFailure where this user may not read it. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EACCES') {
      throw new CommandFailure(`${path} is for root only: run it again with sudo`);
    }
    throw new CommandFailure(`${path} cannot be read: ${message}`);
  }
}
