import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { formatTime } from '../shared/meta/time.ts';
import {
  formatJoinToken,
  JOIN_TOKEN_NAMESPACE,
  joinTokenSecret,
  newJoinToken,
} from '../shared/wire/join-token.ts';
import { ApiClient, ApiFailure } from './api-client.ts';
import type { Command } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { parseOptions } from './options.ts';

export const token: Command = {
  usage: `usage: skerry token create [--ttl 24h] [--uses 1] [--node-name NAME] [--kubeconfig FILE]

Prints a token that lets devices join: \`skerry agent --server https://MASTER:6443 --token TOKEN\`. It is valid for --ttl (for
example 30m, 24h, 7d) and for --uses devices, and with --node-name only for the device of that name.
`,
  async run(args) {
    const { values, positionals } = parseOptions(
      args,
      {
        ttl: { type: 'string' },
        uses: { type: 'string' },
        'node-name': { type: 'string' },
        kubeconfig: { type: 'string' },
      },
      { max: 1 },
    );
    if (positionals[0] !== 'create')
      throw new CommandFailure('the one thing to do with tokens is: skerry token create', 2);
    const ttlMs = parseTtl(values.ttl ?? '24h');
    const uses = Number(values.uses ?? '1');
    if (!Number.isInteger(uses) || uses < 1)
      throw new CommandFailure(`--uses ${values.uses}: expected a whole number from 1`, 2);
    const client = ApiClient.open(values.kubeconfig);
    try {
      const caSha256 = createHash('sha256')
        .update(new X509Certificate(client.ca).raw)
        .digest('hex');
      const made = newJoinToken(randomBytes, caSha256);
      const nodeName = values['node-name'];
      const secret = joinTokenSecret(made, {
        expiration: formatTime(Date.now() + ttlMs),
        uses,
        ...(nodeName !== undefined && { nodeName }),
      });
      await client.json('POST', `/api/v1/namespaces/${JOIN_TOKEN_NAMESPACE}/secrets`, {
        body: secret as unknown as JsonObject,
      });
      process.stdout.write(`${formatJoinToken(made)}\n`);
      return 0;
    } catch (error) {
      if (error instanceof ApiFailure)
        throw new CommandFailure(`the token was refused (${error.reason}): ${error.message}`);
      throw error;
    } finally {
      client.close();
    }
  },
};

function parseTtl(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''];
  if (amount === undefined || unitMs === undefined || Number(amount) === 0) {
    throw new CommandFailure(`--ttl ${text}: expected a duration such as 30m, 24h or 7d`, 2);
  }
  return Number(amount) * unitMs;
}
