import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Loose } from '../e2e/cluster.ts';
import { SAMPLE_IMAGE } from '../e2e/sample-image.ts';
import { addressOf, DEVICE_NAMES, type DeviceName, TestFleet } from './fleet.ts';

/**
 * Services on three devices: `one` and `two` on one segment (routes by host-gw), `three` on another (VXLAN). Each has a pod web-NAME that
 * answers with its own name.
 */
const fleet = new TestFleet();
const WEB = DEVICE_NAMES.map((name) => `web-${name}`).sort();
const DNS = '10.43.0.10';

/** Answers HTTP on 8080 with its own name. */
const SERVE = `mkdir -p /tmp/www; hostname >/tmp/www/index.html
exec httpd -f -p 8080 -h /tmp/www`;

function webPod(name: string, nodeName: string, more: Loose = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'web', only: name, ...more.labels } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      ...more.spec,
      containers: [
        {
          name: 'main',
          image: SAMPLE_IMAGE,
          command: ['sh', '-c', SERVE],
          ports: [
            { name: 'http', containerPort: 8080, ...more.port },
            { name: 'echo', containerPort: 5353, protocol: 'UDP' },
          ],
        },
      ],
    },
  };
}

function service(name: string, spec: Loose): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'echo', port: 53, targetPort: 'echo', protocol: 'UDP' },
      ],
      ...spec,
    },
  };
}

/** Asks 30 times over new connections; answers who answered, sorted. Of three endpoints each is missed once in 60,000 tries. */
const ASK = (url: string) =>
  `for i in $(seq 30); do timeout 5 wget -q -O - ${url} || echo "no answer"; done | sort -u`;

const asked = (out: string) => out.split('\n').filter((line) => line !== '');

type Origin = { pod: DeviceName } | { host: DeviceName } | 'outside';

async function ask(from: Origin, url: string, script = ASK(url)): Promise<string[]> {
  if (from === 'outside') return asked(await fleet.router('sh', '-c', script));
  if ('host' in from) return asked(await fleet.devices[from.host].must('sh', '-c', script));
  const { stdout, stderr } = await fleet.inPod(from.pod, `web-${from.pod}`, script);
  return asked(stdout || stderr);
}

async function eventually(from: Origin, url: string, names: readonly string[]): Promise<void> {
  await expect.poll(() => ask(from, url), { timeout: 30_000 }).toEqual(names);
}

/** Figures are shown, and judge nothing. */
function say(figure: string): void {
  process.stdout.write(`${figure}\n`);
}

async function clusterIp(name: string): Promise<string> {
  return (await fleet.get('service', name)).spec.clusterIP;
}

async function nodePort(name: string): Promise<number> {
  return (await fleet.get('service', name)).spec.ports[0].nodePort;
}

async function podIp(name: string): Promise<string> {
  return (await fleet.get('pod', name)).status.podIP;
}

beforeAll(async () => {
  await fleet.open();
  await fleet.apply(
    ...DEVICE_NAMES.map((name) =>
      webPod(`web-${name}`, name, name === 'two' ? { port: { hostPort: 8088 } } : {}),
    ),
    service('web', {}),
  );
  await fleet.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=90s');
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') say(fleet.said());
});

afterAll(async () => {
  await fleet.close();
});

describe('routes between devices', () => {
  it('go directly on one segment and by VXLAN across', async () => {
    const { items } = await fleet.get('nodes');
    const annotations = items.find(({ metadata }: Loose) => metadata.name === 'one').metadata
      .annotations;
    const routes = Object.entries(annotations).filter(([key]) => key.includes('network.skerry'));
    expect(JSON.stringify(routes)).toMatch(/two\W+host-gw/);
    expect(JSON.stringify(routes)).toMatch(/three\W+vxlan/);
  });
});

describe('a service with a cluster address', () => {
  it.each<[string, Origin]>([
    ['a pod beside an endpoint', { pod: 'one' }],
    ['a pod across the segments', { pod: 'three' }],
    ['a host', { host: 'two' }],
    ['a host across the segments', { host: 'three' }],
  ])('is answered by all its pods, asked from %s', async (_, from) => {
    await eventually(from, `http://${await clusterIp('web')}/`, WEB);
  });

  it.each(['one', 'three'] as const)('is found by its name from a pod on %s', async (name) => {
    await eventually({ pod: name }, 'http://web/', WEB);
    await eventually({ pod: name }, 'http://web.default.svc.cluster.local/', WEB);
  });

  it('takes UDP', async () => {
    const servers = DEVICE_NAMES.map((name) =>
      fleet.nodeInPod(name, `web-${name}`, './udp-peer.ts', 'serve', '5353', `web-${name}`),
    );
    for (const server of servers) await (await server).line(/^serving$/m);
    const ip = await clusterIp('web');
    for (const name of ['one', 'three'] as const) {
      const asking = async () => {
        const client = await fleet.nodeInPod(
          ...[name, `web-${name}`, './udp-peer.ts', 'ask', ip, '53', '30'],
        );
        await client.ended();
        return asked(client.output);
      };
      await expect.poll(asking, { timeout: 30_000 }).toEqual(WEB);
    }
  });

  it('is answered by the pod that asks, when that is its endpoint', async () => {
    await fleet.apply(service('self', { selector: { only: 'web-one' } }));
    await eventually({ pod: 'one' }, 'http://self/', ['web-one']);
  });

  it('stays with one pod for one client where it has affinity', async () => {
    await fleet.apply(service('sticky', { sessionAffinity: 'ClientIP' }));
    const url = `http://${await clusterIp('sticky')}/`;
    for (const from of [{ pod: 'one' }, { host: 'two' }, { pod: 'three' }] as const) {
      await expect.poll(() => ask(from, url), { timeout: 30_000 }).toHaveLength(1);
      expect(WEB).toContain((await ask(from, url))[0]);
    }
  });

  it('with internal traffic policy Local has the pods of the device that asks', async () => {
    await fleet.apply(service('near', { internalTrafficPolicy: 'Local' }));
    await eventually({ pod: 'one' }, 'http://near/', ['web-one']);
    await eventually({ pod: 'three' }, 'http://near/', ['web-three']);
  });

  it('without a pod refuses at once', async () => {
    await fleet.apply(service('nobody', { selector: { app: 'nobody' } }));
    const url = `http://${await clusterIp('nobody')}/`;
    await expect
      .poll(() => ask({ pod: 'one' }, url, `timeout 5 wget -q -O - ${url} 2>&1`), {
        timeout: 20_000,
      })
      .toEqual([expect.stringContaining('Connection refused')]);
  });
});

describe('services that are reached from outside', () => {
  it('have a port on every device', async () => {
    await fleet.apply(service('ported', { type: 'NodePort' }));
    const port = await nodePort('ported');
    await eventually('outside', `http://${addressOf('one')}:${port}/`, WEB);
    await eventually('outside', `http://${addressOf('three')}:${port}/`, WEB);
    await eventually({ pod: 'two' }, `http://${addressOf('three')}:${port}/`, WEB);
    await eventually({ host: 'three' }, `http://${addressOf('one')}:${port}/`, WEB);
  });

  it('with external traffic policy Local are answered by the pods of the device that is asked', async () => {
    await fleet.apply(service('local', { type: 'NodePort', externalTrafficPolicy: 'Local' }));
    const port = await nodePort('local');
    await eventually('outside', `http://${addressOf('two')}:${port}/`, ['web-two']);
    await eventually('outside', `http://${addressOf('three')}:${port}/`, ['web-three']);
  });

  it('of type LoadBalancer have their node ports and stay pending', async () => {
    await fleet.apply(service('balanced', { type: 'LoadBalancer' }));
    expect((await fleet.get('service', 'balanced')).status.loadBalancer).toEqual({});
    await eventually('outside', `http://${addressOf('two')}:${await nodePort('balanced')}/`, WEB);
  });

  it('answer at their external addresses', async () => {
    await fleet.apply(service('external', { externalIPs: ['192.168.90.1'] }));
    await fleet.router('ip', 'route', 'add', '192.168.90.1', 'via', addressOf('one'));
    await eventually('outside', 'http://192.168.90.1/', WEB);
    await eventually({ pod: 'three' }, 'http://192.168.90.1/', WEB);
  });

  it('have the host port of one pod on its device alone', async () => {
    await eventually('outside', `http://${addressOf('two')}:8088/`, ['web-two']);
    await eventually({ pod: 'three' }, `http://${addressOf('two')}:8088/`, ['web-two']);
  });
});

describe('names', () => {
  const lookup = (name: string) => `nslookup ${name} ${DNS} 2>&1`;

  it('of a headless service are the addresses of its pods, on every device', async () => {
    await fleet.apply(service('headless', { clusterIP: 'None' }));
    const addresses = await Promise.all(WEB.map(podIp));
    for (const name of DEVICE_NAMES) {
      const found = async () =>
        (await ask({ host: name }, '', lookup('headless.default.svc.cluster.local')))
          .flatMap((line) => /^Address(?: \d+)?: (10\.42\.\S+)/.exec(line)?.[1] ?? [])
          .sort();
      await expect.poll(found, { timeout: 20_000 }).toEqual(addresses.sort());
    }
  });

  it('of type ExternalName lead to another name', async () => {
    await fleet.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'alias' },
      spec: { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' },
    });
    await eventually({ pod: 'three' }, 'http://alias/', WEB);
  });

  it('of a service without selector lead where its slice says', async () => {
    await fleet.apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'manual' },
        spec: { ports: [{ port: 80 }] },
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'manual-1', labels: { 'kubernetes.io/service-name': 'manual' } },
        addressType: 'IPv4',
        ports: [{ port: 8080 }],
        endpoints: [{ addresses: [await podIp('web-two')] }],
      },
    );
    await eventually({ pod: 'one' }, 'http://manual/', ['web-two']);
    await eventually({ pod: 'three' }, 'http://manual/', ['web-two']);
  });
});

describe('a rolling update under load', () => {
  it('fails no request where readiness and preStop are as Kubernetes advises', async () => {
    await fleet.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'rolling' },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'rolling' } },
          template: {
            metadata: { labels: { app: 'rolling' } },
            spec: {
              terminationGracePeriodSeconds: 10,
              containers: [
                {
                  name: 'main',
                  image: SAMPLE_IMAGE,
                  command: ['sh', '-c', SERVE],
                  ports: [{ name: 'http', containerPort: 8080 }],
                  readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
                  lifecycle: { preStop: { sleep: { seconds: 3 } } },
                },
              ],
            },
          },
        },
      },
      service('rolling', {
        type: 'NodePort',
        selector: { app: 'rolling' },
        ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      }),
    );
    const rolledOut = () =>
      fleet.kubectl('rollout', 'status', 'deployment/rolling', '--timeout=90s');
    await rolledOut();
    const before = (await fleet.get('pods', '-l', 'app=rolling')).items;
    const ip = await clusterIp('rolling');
    const port = await nodePort('rolling');
    for (const name of DEVICE_NAMES) {
      const from: Origin = { host: name };
      await expect.poll(() => ask(from, `http://${ip}/`), { timeout: 30_000 }).toHaveLength(3);
    }

    const clients = DEVICE_NAMES.map((name) =>
      fleet.devices[name].client(
        './load-client.ts',
        `http://${ip}/`,
        `http://${addressOf(name)}:${port}/`,
      ),
    );
    await Promise.all(clients.map((client) => client.line(/^asking$/m)));
    await fleet.kubectl('rollout', 'restart', 'deployment/rolling');
    await rolledOut();
    const gone = before.map(({ metadata }: Loose) => `pod/${metadata.name}`);
    await fleet.kubectl('wait', '--for=delete', ...gone, '--timeout=60s');
    await Promise.all(clients.map((client) => client.stop()));

    for (const { output } of clients) {
      const { answers, failures } = JSON.parse(output.split('\n')[1] ?? '{}');
      expect(failures).toEqual([]);
      expect(Object.keys(answers).length).toBeGreaterThan(3);
    }
  });
});

describe('with no way to the master', () => {
  let mortalIp = '';
  let mortalUrl = '';

  beforeAll(async () => {
    const mortal = { labels: { app: 'mortal' }, spec: { restartPolicy: 'Never' } };
    await fleet.apply(
      webPod('mortal-one', 'one', mortal),
      webPod('mortal-two', 'two', mortal),
      service('mortal', { selector: { app: 'mortal' } }),
    );
    await fleet.kubectl(
      'wait',
      '--for=condition=Ready',
      'pod',
      '-l',
      'app=mortal',
      '--timeout=60s',
    );
    mortalIp = await podIp('mortal-two');
    mortalUrl = `http://${await clusterIp('mortal')}/`;
    await fleet.cutFromMaster(DEVICE_NAMES);
  });

  it('names resolve and the balance goes on', async () => {
    await eventually({ pod: 'one' }, 'http://web/', WEB);
    await eventually({ pod: 'three' }, 'http://web/', WEB);
  });

  it('a pod that is killed leaves the rules of its device at once, and is passed over by others', async () => {
    const device = fleet.devices.two;
    const isServed = async () => (await device.must('nft', 'list', 'ruleset')).includes(mortalIp);
    expect(await isServed()).toBe(true);
    const pid = await fleet.pidOf('two', 'mortal-two');
    const killed = performance.now();
    await device.must('kill', '-9', pid);
    await expect.poll(isServed, { timeout: 10_000, interval: 20 }).toBe(false);
    say(`a killed pod was served for ${Math.round(performance.now() - killed)} ms`);
    await eventually({ host: 'two' }, mortalUrl, ['mortal-one']);
    await expect
      .poll(() => ask({ host: 'one' }, mortalUrl), { timeout: 120_000 })
      .toEqual(['mortal-one']);
  });

  it('a device that vanishes is picked no more, and is again when it is back', async () => {
    const url = `http://${await clusterIp('web')}/`;
    const rest = ['web-one', 'web-three'];
    const off = performance.now();
    await fleet.devices.two.powerOff();
    await expect.poll(() => ask({ host: 'one' }, url), { timeout: 150_000 }).toEqual(rest);
    say(`a lost device was picked for ${Math.round(performance.now() - off)} ms`);
    await fleet.powerOn('two');
    await fleet.startAgent('two');
    await eventually({ host: 'two' }, url, WEB);
    await eventually({ host: 'one' }, url, WEB);
  });

  it('everything is as before when the way is back, also after so long that the nodes were given up', async () => {
    const isGivenUp = async () =>
      (await fleet.get('nodes')).items.every(({ status }: Loose) =>
        status.conditions.some(
          ({ type, status: is }: Loose) => type === 'Ready' && is === 'Unknown',
        ),
      );
    await expect.poll(isGivenUp, { timeout: 90_000 }).toBe(true);
    await fleet.cutFromMaster([]);
    await fleet.kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s');
    const isReady = async () =>
      (await fleet.get('pods', '-l', 'app=web')).items.every(
        ({ status }: Loose) => status.containerStatuses[0].ready,
      );
    await expect.poll(isReady, { timeout: 60_000 }).toBe(true);
    for (const name of DEVICE_NAMES) {
      await eventually({ host: name }, `http://${await clusterIp('web')}/`, WEB);
    }
  });
});

it('nothing of the namespaces shows on the real machine', () => {
  expect(readFileSync('/proc/net/dev', 'utf8')).not.toMatch(/seg1|to-one/);
});
