/**
 * How long it takes from a pod that serves to the first request that it answers on another node, through the real link: three devices in
 * namespaces with podman (test/testbed). As root, with `SKERRY_E2E_DIST` naming a finished build: `npx tsx bench/services.bench.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSampleImage, SAMPLE_IMAGE } from '../test/e2e/sample-image.ts';
import { TestFleet } from '../test/testbed/fleet.ts';

const ROUNDS = 7;
const fleet = new TestFleet();
await makeSampleImage();
await fleet.open();
try {
  const rows: { round: number; 'served -> answered ms': number }[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    rows.push({ round, 'served -> answered ms': await measure(`late-${round}`) });
  }
  console.table(rows);
  const sorted = rows.map((row) => row['served -> answered ms']).sort((a, b) => a - b);
  console.log(`median ${sorted[Math.floor(ROUNDS / 2)]} ms; budget 1,000 ms`);
} finally {
  await fleet.close();
}

/** The pod is on device two, who asks on device one, the Service is there before the pod. */
async function measure(name: string): Promise<number> {
  await fleet.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const { clusterIP } = (await fleet.get('service', name)).spec;
  const client = fleet.devices.one.client('./first-answer.ts', `http://${clusterIP}/`);
  await client.line(/^asking$/m);
  await fleet.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      nodeName: 'two',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: SAMPLE_IMAGE,
          command: [
            'sh',
            '-c',
            'echo ok >/tmp/index.html; echo serving; exec httpd -f -p 8080 -h /tmp',
          ],
        },
      ],
    },
  });
  const answered = Number((await client.line(/^answered (\d+)$/m))[1]);
  return answered - servedAt(name);
}

/** When the container said that it serves: the stamp that conmon put before the line. */
function servedAt(pod: string): number {
  const logs = join(fleet.devices.two.dataDir, 'agent/logs');
  const file = readdirSync(logs, { recursive: true })
    .map(String)
    .find((path) => path.includes(pod) && path.endsWith('.log'));
  const [stamp = ''] = readFileSync(join(logs, file ?? ''), 'utf8').split(' ');
  return Date.parse(stamp);
}
