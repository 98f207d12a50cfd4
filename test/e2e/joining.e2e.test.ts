import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, SKERRY } from './cluster.ts';
import { podManifest } from './pods.ts';
import { type Result, run } from './run.ts';

/** A master and agents as processes of their own. */
const cluster = new Cluster(7);
/** Only its data directory is used: a second device on the same machine. */
const device = new Cluster(8);
let used = '';

beforeAll(async () => {
  await cluster.start('master');
  used = await cluster.token('--node-name', 'device-1');
});

afterAll(async () => {
  await Promise.all([cluster.purge(), device.purge()]);
});

/** An agent that is expected to end by itself. */
function refused(token: string, ...options: string[]): Promise<Result> {
  const where = ['--server', cluster.server, '--data-dir', device.dataDir];
  const args = ['agent', ...where, '--token', token, '--node-name', 'device-2', ...options];
  return run(SKERRY, args, { timeoutMs: 30_000 });
}

const lastLine = ({ stderr }: Result) => stderr.trim().split('\n').at(-1);

describe('two processes', () => {
  it('are joined by a token, and run pods', async () => {
    const options = ['--server', cluster.server, '--token', used, '--node-name', 'device-1'];
    await cluster.start('agent', ...options);
    await cluster.must(['apply', '-f', '-'], podManifest('joined'));
    const pod = await cluster.running('joined');
    expect(pod.spec.nodeName).toBe('device-1');
    await cluster.must(['wait', 'node/device-1', '--for=condition=Ready', '--timeout=30s']);
    const secrets = ['secret', '-n', 'kube-system', '-o', 'name'];
    expect(await cluster.must(['get', ...secrets])).toContain('secret/bootstrap-token-');
  });

  it('need the token no more when the agent starts again', async () => {
    const containers = await cluster.runningContainers();
    expect(containers).toHaveLength(1);
    expect(await cluster.program('agent').stop()).toMatchObject({ code: 0 });
    await cluster.start('agent');
    await cluster.program('agent').line(/connected to the master/);
    expect(await cluster.runningContainers()).toEqual(containers);
    expect((await cluster.running('joined')).status.containerStatuses[0].restartCount).toBe(0);
  });

  it('keep their keys to themselves', () => {
    const files = ['admin.kubeconfig', 'agent/tls.key', 'agent/sealing.key', 'master/pki/ca.key'];
    for (const file of files) {
      expect({ file, mode: statSync(join(cluster.dataDir, file)).mode & 0o777 }).toEqual({
        file,
        mode: 0o600,
      });
    }
  });
});

describe('an agent is refused, says why and ends', () => {
  it('with a token that was used up', async () => {
    const spent = await cluster.token();
    const first = new Cluster(9);
    const options = ['--server', cluster.server, '--token', spent, '--node-name', 'device-3'];
    const joined = await first.start('agent', ...options);
    await joined.line(/joined cluster/);
    const result = await refused(spent);
    expect(result.code).toBe(1);
    expect(lastLine(result)).toContain(
      'skerry agent: the master refuses this device: the join token is used up: ',
    );
    await first.purge();
  });

  it('with a token that nobody made', async () => {
    const [id, , hash] = used.split('.');
    const result = await refused(`${id}.0123456789abcdef.${hash}`);
    expect(result.code).toBe(1);
    expect(lastLine(result)).toContain(
      'skerry agent: the master refuses this device: the join token is unknown: ',
    );
  });

  it('with a token of another cluster, before it sends the secret', async () => {
    const [id, secret] = used.split('.');
    const result = await refused(`${id}.${secret}.${'0'.repeat(64)}`);
    expect(result.code).toBe(1);
    expect(lastLine(result)).toMatch(
      /^skerry agent: https:.* is not the master that this join token was made for/,
    );
  });

  it('with a token that has expired', async () => {
    const late = await cluster.token();
    const secret = `bootstrap-token-${late.split('.')[0]}`;
    const past = Buffer.from('2020-01-01T00:00:00Z').toString('base64');
    const patch = ['-p', JSON.stringify({ data: { expiration: past } })];
    await cluster.must(['-n', 'kube-system', 'patch', 'secret', secret, ...patch]);
    const result = await refused(late);
    expect(result.code).toBe(1);
    // The cleaner may have been faster: it ended long ago.
    expect(lastLine(result)).toMatch(
      /^skerry agent: the master refuses this device: the join token (expired at 2020-01-01T00:00:00Z|is unknown): /,
    );
  });

  it('with a token for another node', async () => {
    const other = await cluster.token('--node-name', 'device-4');
    const result = await refused(other);
    expect(result.code).toBe(1);
    expect(lastLine(result)).toContain(
      'skerry agent: the master refuses this device: the join token is for node "device-4", not for "device-2": ',
    );
  });

  it('with something that is no token', async () => {
    const result = await refused('hello');
    expect(result.code).not.toBe(0);
    expect(result.stdout).not.toContain('ready:');
    expect(lastLine(result)).toMatch(/^skerry agent: .*token/);
  });

  it('without any token', async () => {
    const result = await run(SKERRY, ['agent', '--data-dir', device.dataDir], {
      timeoutMs: 30_000,
    });
    expect(result.code).not.toBe(0);
    expect(lastLine(result)).toMatch(
      /^skerry agent: this device has not joined a cluster: .*token/,
    );
  });

  it('and has left no node behind', async () => {
    expect(await cluster.must(['get', 'nodes', '-o', 'name'])).not.toContain('device-2');
  });
});
