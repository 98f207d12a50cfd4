import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SAMPLE } from '../e2e/cluster.ts';
import { InstalledBed, joinCommand } from './installed.ts';
import type { Machine } from './machine.ts';
import { MEDIA } from './releases.ts';
import { newTraces, tracesOf } from './traces.ts';

/** A master and two devices, from Debian machines without a way out to a cluster, and off again. */
const installed = new InstalledBed();
let master: Machine;
let left: Machine;
let right: Machine;
let said = '';
const before = new Map<Machine, Record<string, string[]>>();

beforeAll(async () => {
  await installed.open();
  [master, left, right] = await Promise.all([
    installed.machine('master'),
    installed.machine('left'),
    installed.machine('right'),
  ]);
  for (const machine of [master, left]) before.set(machine, await tracesOf(machine));
  said = await installed.master(master);
}, 600_000);

afterAll(() => installed.close());

/** What install.sh says of a join that cannot be, without its steps. */
async function refusedJoin(machine: Machine, token: string, options = ''): Promise<string> {
  const server = joinCommand(said).split(' ')[3];
  const result = await machine.run(
    `${MEDIA}/this/install.sh agent --server ${server} --token ${token} --timeout 20 ${options}`,
  );
  expect(result.code, result.stdout).toBe(1);
  return result.stderr;
}

const token = (options = '') =>
  master.must(`skerry token create ${options}`).then((text) => text.trim());
/** The printed line with the token of the next device. */
const nextJoin = async () => joinCommand(said).replace(/\S+$/, await token());
const nodes = () => installed.kubectl('get nodes');

it('an archive that is not the one of its checksum is not unpacked', async () => {
  const copy = `mkdir /tmp/stick && cd /tmp/stick && cp ${MEDIA}/SHA256SUMS ${MEDIA}/*.tar.gz . && for file in *.gz; do echo x >>$file; done`;
  await right.must(copy);
  const result = await right.run(
    `${MEDIA}/install.sh agent --archive $(ls /tmp/stick/*.tar.gz) --allow-unsigned --server https://192.168.77.11:6443 --token ${joinCommand(said).split(' ')[5]}`,
  );
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(
    /^install\.sh: skerry-.* has another checksum than SHA256SUMS says[^\n]*\n$/,
  );
  expect((await right.run('ls /usr/lib/skerry /etc/skerry')).code).not.toBe(0);
  await right.must('rm -r /tmp/stick');
});

it('two devices join by the line that the master printed, pasted as it is', async () => {
  await left.must(`cd ${MEDIA}/this && ${joinCommand(said)}`);
  await right.must(`cd ${MEDIA}/this && ${await nextJoin()}`);
  await installed.kubectl('wait --for=condition=Ready node --all --timeout=60s');
  expect((await nodes()).match(/^\S+ +Ready /gm)).toHaveLength(3);
});

it('the sample, applied from outside with kubectl, answers on every node', async () => {
  await installed.kubectl('apply -f -', readFileSync(SAMPLE, 'utf8'));
  await installed.kubectl('-n sample scale deployment/front --replicas=3');
  for (const name of ['front', 'back']) {
    await installed.kubectl(`-n sample rollout status deployment/${name} --timeout=90s`);
  }
  const pods = JSON.parse(
    await installed.kubectl('-n sample get pods -l tier=front -o json'),
  ).items;
  for (const { metadata, spec, status } of pods) {
    const node = [master, left, right].find(({ name }) => name === spec.nodeName);
    const page = await node?.must(`busybox wget -qO- http://${status.podIP}:8080/`);
    expect(page).toContain(`Hello from Skerry, I am ${metadata.name}`);
  }
});

it('a token that is used up, expired or of another cluster is refused in one sentence', async () => {
  await right.must(`${MEDIA}/this/install.sh uninstall --yes`);
  await installed.kubectl('delete node right');
  const used = joinCommand(said).split(' ')[5] ?? '';
  expect(await refusedJoin(right, used)).toMatch(
    /^install\.sh: skerry-agent did not come up: [^\n]*token[^\n]*\n$/,
  );
  const expired = await token('--ttl 1s');
  await right.must('sleep 1.5');
  expect(await refusedJoin(right, expired)).toMatch(/^install\.sh: [^\n]*token[^\n]*\n$/);
  const foreign = `${(await token()).slice(0, 24)}${'0'.repeat(64)}`;
  expect(await refusedJoin(right, foreign)).toMatch(/^install\.sh: [^\n]*another cluster[^\n]*\n$/);
});

it('a name that another node has is refused in one sentence', async () => {
  const sentence = await refusedJoin(right, await token(), '--node-name left');
  expect(sentence).toMatch(/^install\.sh: [^\n]*"?left"?[^\n]*\n$/);
});

it('after uninstall a device is as it was before', async () => {
  await left.must(`${MEDIA}/this/install.sh uninstall --yes`);
  expect(newTraces(before.get(left) ?? {}, await tracesOf(left))).toEqual({});
});

it('after uninstall a master with an agent is as it was before', async () => {
  await master.must(`${MEDIA}/this/install.sh uninstall --yes`);
  expect(newTraces(before.get(master) ?? {}, await tracesOf(master))).toEqual({});
});
