import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Loose } from './cluster.ts';
import { podManifest, shell } from './pods.ts';

/** Probes and hooks on real podman: what they do to status, endpoints and the end of a container. */
const cluster = new Cluster(12);
const folder = join(cluster.folder, 'shared');
const file = (name: string) => join(folder, name);
const create = (manifest: string) => cluster.must(['apply', '-f', '-'], manifest);
const main = (pod: Loose) => pod.status.containerStatuses?.[0] ?? {};

beforeAll(async () => {
  mkdirSync(folder);
  await cluster.start();
});

afterAll(async () => {
  await cluster.purge();
});

/** A pod that sees the test's folder as /shared. */
function sharing(name: string, container: object, spec: object = {}): string {
  return podManifest(
    name,
    { ...container, volumeMounts: [{ name: 'shared', mountPath: '/shared' }] },
    { volumes: [{ name: 'shared', hostPath: { path: folder } }], ...spec },
  );
}

async function events(name: string): Promise<string[]> {
  const query = `?fieldSelector=involvedObject.name%3D${name}`;
  const { items } = await cluster.get(`/api/v1/namespaces/default/events${query}`);
  return items.map(({ reason, message }: Loose) => `${reason}: ${message}`);
}

describe('a readiness probe', () => {
  it('decides whether the pod is ready and its endpoint is served', async () => {
    const port = { name: 'web', containerPort: 8080 };
    await create(
      sharing('probed', {
        command: shell('exec httpd -f -p 8080 -h /shared'),
        ports: [port],
        readinessProbe: {
          httpGet: { path: '/ready', port: 'web' },
          periodSeconds: 1,
          failureThreshold: 1,
        },
      }),
    );
    await cluster.must(['expose', 'pod', 'probed', '--port=80', '--target-port=web']);
    const isReady = (ready: boolean) => (pod: Loose) =>
      main(pod).started === true && main(pod).ready === ready;
    await cluster.pod('probed', isReady(false));
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    const served = async () =>
      (await cluster.get(`${slices}?labelSelector=kubernetes.io%2Fservice-name%3Dprobed`)).items[0]
        ?.endpoints?.[0]?.conditions.ready;
    await expect.poll(served, { timeout: 30_000 }).toBe(false);
    writeFileSync(file('ready'), 'ok');
    await cluster.pod('probed', isReady(true));
    await expect.poll(served, { timeout: 30_000 }).toBe(true);
    rmSync(file('ready'));
    await cluster.pod('probed', isReady(false));
    await expect.poll(served, { timeout: 30_000 }).toBe(false);
    expect(await events('probed')).toContain(
      'Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404',
    );
  });
});

describe('a liveness probe', () => {
  it('that fails has the container killed and started again, and says so', async () => {
    writeFileSync(file('alive'), '');
    await create(
      sharing('lively', {
        livenessProbe: {
          exec: { command: ['cat', '/shared/alive'] },
          periodSeconds: 1,
          failureThreshold: 2,
        },
      }),
    );
    await cluster.running('lively');
    rmSync(file('alive'));
    await cluster.pod('lively', (pod) => main(pod).restartCount >= 1);
    writeFileSync(file('alive'), '');
    await cluster.running('lively');
    const said = await events('lively');
    expect(said.some((line) => /^Unhealthy: Liveness probe failed: cat: can't/.test(line))).toBe(
      true,
    );
    expect(said).toContain('Killing: Container main failed liveness probe, will be restarted');
  });
});

describe('hooks', () => {
  it('run after the start, and before the signal', async () => {
    const say = (word: string) => shell(`echo ${word} >> /shared/hooks`);
    await create(
      sharing(
        'hooked',
        {
          command: shell('trap "echo term >> /shared/hooks; exit 0" TERM; sleep 3600 & wait'),
          lifecycle: {
            postStart: { exec: { command: say('started') } },
            preStop: { exec: { command: shell('sleep 2; echo stopping >> /shared/hooks') } },
          },
        },
        { terminationGracePeriodSeconds: 20 },
      ),
    );
    await cluster.running('hooked');
    expect(readFileSync(file('hooks'), 'utf8')).toBe('started\n');
    const beganMs = performance.now();
    await cluster.must(['delete', 'pod', 'hooked']);
    const tookMs = performance.now() - beganMs;
    expect(readFileSync(file('hooks'), 'utf8')).toBe('started\nstopping\nterm\n');
    expect(tookMs).toBeGreaterThan(2_000);
    expect(tookMs).toBeLessThan(15_000);
  });
});
