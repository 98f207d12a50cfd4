import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { formatTime } from '../shared/meta/time.ts';
import { NODE_NAME } from '../shared/options/option-types.ts';
import {
  formatJoinToken,
  JOIN_TOKEN_KEYS,
  JOIN_TOKEN_NAMESPACE,
  JOIN_TOKEN_SECRET_TYPE,
  joinTokenSecret,
  joinTokenSecretName,
  newJoinToken,
} from '../shared/wire/join-token.ts';
import { type ApiClient, ApiFailure } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { DATA_OUTPUT_OPTION, printData, readDataOutput } from './object-output.ts';
import { durationMs, wholeNumber } from './option-values.ts';
import { parseOptions } from './options.ts';
import { serverForDevices } from './server-for-devices.ts';
import { alignColumns } from './table.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  ttl: { type: 'string', value: 'TIME', description: 'how long it is valid: 30m, 24h, 7d (24h)' },
  uses: { type: 'string', value: 'N', description: 'how many devices may join with it (1)' },
  'node-name': { type: 'string', value: 'NAME', description: 'only for the device of this name' },
  output: { ...DATA_OUTPUT_OPTION.output, description: 'of `list`: for programs' },
  'print-join-command': {
    type: 'boolean',
    description: 'of `create`: the whole line to run on the device, not the token alone',
  },
  ...KUBECONFIG_OPTION,
} as const;

const SECRETS = `/api/v1/namespaces/${JOIN_TOKEN_NAMESPACE}/secrets`;

export const token = declareCommand({
  synopsis: [
    'token create [--ttl TIME] [--uses N] [--node-name NAME] [--print-join-command]',
    'token list [-o json|yaml]',
    'token delete ID',
  ],
  about: `Tokens let devices join: \`./install.sh agent --server https://MASTER:6443 --token TOKEN\` there. A token names the cluster by its
authority's hash, so a device that has one trusts nobody else. \`list\` shows ids, never the secret part; \`delete\` takes the id or the token.`,
  options: OPTIONS,
  examples: [
    ['skerry token create --print-join-command', 'the line for one device, within a day'],
    ['skerry token create --uses 20 --ttl 7d', 'for a fleet'],
    ['skerry token delete k3x9a1', ''],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 2 });
    const [verb, id] = positionals;
    if (verb === 'create' && id === undefined) return await createToken(values);
    if (verb === 'list' && id === undefined)
      return await listTokens(values.kubeconfig, readDataOutput(values.output));
    if (verb === 'delete' && id !== undefined) return await deleteToken(id, values.kubeconfig);
    throw new CommandFailure('expected `token create`, `token list` or `token delete ID`', 2);
  },
});

async function createToken(values: {
  ttl?: string;
  uses?: string;
  'node-name'?: string;
  'print-join-command'?: boolean;
  kubeconfig?: string;
}): Promise<number> {
  const ttlMs = durationMs('--ttl', values.ttl ?? '24h');
  const uses = wholeNumber('--uses', values.uses ?? '1', 1);
  const nodeName = values['node-name'];
  if (nodeName !== undefined && NODE_NAME.parse(nodeName) === undefined) {
    throw new CommandFailure(`--node-name ${nodeName}: expected ${NODE_NAME.expected}`, 2);
  }
  return await withClient(values.kubeconfig, async (client) => {
    // Before there is a token, which would stay.
    const server =
      values['print-join-command'] === true ? await serverForDevices(client) : undefined;
    const made = await postToken(client, {
      ttlMs,
      uses,
      ...(nodeName !== undefined && { nodeName }),
    });
    const line =
      server === undefined
        ? made
        : `./install.sh agent --server ${server} --token ${made}${nodeName === undefined ? '' : ` --node-name ${nodeName}`}`;
    process.stdout.write(`${line}\n`);
    return 0;
  });
}

/** Makes a token at the master; answers its text. */
export async function postToken(
  client: ApiClient,
  terms: { ttlMs: number; uses: number; nodeName?: string; adopts?: boolean },
): Promise<string> {
  const { ttlMs, ...rest } = terms;
  const caSha256 = createHash('sha256').update(new X509Certificate(client.ca).raw).digest('hex');
  const made = newJoinToken(randomBytes, caSha256);
  const secret = joinTokenSecret(made, { ...rest, expiration: formatTime(Date.now() + ttlMs) });
  await client.json('POST', SECRETS, { body: secret as unknown as JsonObject });
  return formatJoinToken(made);
}

interface StoredToken {
  metadata: { name: string };
  data?: Record<string, string>;
}

async function listTokens(
  kubeconfig: string | undefined,
  output: 'json' | 'yaml' | undefined,
): Promise<number> {
  return await withClient(kubeconfig, async (client) => {
    const query = `?fieldSelector=${encodeURIComponent(`type=${JOIN_TOKEN_SECRET_TYPE}`)}`;
    const { items } = (await client.json('GET', SECRETS + query)) as unknown as {
      items: StoredToken[];
    };
    const tokens = items.map((secret) => shownToken(secret, Date.now()));
    if (output !== undefined) {
      process.stdout.write(printData({ tokens }, output));
      return 0;
    }
    process.stdout.write(
      tokens.length === 0
        ? 'no tokens; `skerry token create` makes one\n'
        : alignColumns([HEADER, ...tokens.map(rowOf)]),
    );
    return 0;
  });
}

/** All of a token that may be seen. */
type ShownToken = {
  id: string;
  /** RFC 3339; null: never. */
  expires: string | null;
  /** Null: any number. */
  usesLeft: number | null;
  /** Null: any. */
  nodeName: string | null;
  adopts: boolean;
  state: 'valid' | 'expired' | 'used up';
};

const HEADER = ['ID', 'EXPIRES', 'USES LEFT', 'FOR NODE', 'STATE'];

function shownToken({ data = {} }: StoredToken, nowMs: number): ShownToken {
  const value = (key: keyof typeof JOIN_TOKEN_KEYS) => {
    const encoded = data[JOIN_TOKEN_KEYS[key]];
    return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('utf8');
  };
  const expires = value('expiration');
  const uses = value('uses');
  const isExpired = expires !== null && Date.parse(expires) <= nowMs;
  return {
    id: value('id') ?? '',
    expires,
    usesLeft: uses === null ? null : Number(uses),
    nodeName: value('nodeName'),
    adopts: value('adopts') === 'true',
    state: isExpired ? 'expired' : uses === '0' ? 'used up' : 'valid',
  };
}

function rowOf({ id, expires, usesLeft, nodeName, adopts, state }: ShownToken): string[] {
  const forNode = nodeName === null ? 'any' : `${nodeName}${adopts ? ' (adopts)' : ''}`;
  return [id, expires ?? 'never', String(usesLeft ?? 'any number'), forNode, state];
}

/** `id`: of the token, or the whole token. */
async function deleteToken(id: string, kubeconfig: string | undefined): Promise<number> {
  const [shortId = ''] = id.split('.');
  if (!/^[a-z0-9]{6}$/.test(shortId)) {
    throw new CommandFailure(
      `"${shortId}" is no token's id: it has six lower case letters and digits; \`skerry token list\` shows them`,
      2,
    );
  }
  return await withClient(kubeconfig, async (client) => {
    try {
      await client.json('DELETE', `${SECRETS}/${joinTokenSecretName(shortId)}`);
    } catch (error) {
      if (!(error instanceof ApiFailure && error.reason === 'NotFound')) throw error;
      throw new CommandFailure(`there is no token ${shortId}; \`skerry token list\` shows them`);
    }
    process.stdout.write(`token ${shortId} deleted; devices that joined with it stay\n`);
    return 0;
  });
}
