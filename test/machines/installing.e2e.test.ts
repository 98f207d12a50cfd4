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
  for (const machine of [master, left]) {
    await machine.must(NOT_OURS);
    before.set(machine, await tracesOf(machine));
  }
  said = await installed.master(master);
}, 600_000);

afterAll(() => installed.close());

/** What somebody else has on these machines, by names that are much like ours. */
const NOT_OURS = [
  'groupadd skerry && groupadd theirs && useradd --gid theirs --no-create-home skerry',
  'podman create -q --name skerry-theirs --network none localhost/skerry-sample:1 true',
  'nft add table ip skerry-theirs && nft add table inet filter',
  'ip link add sk-theirs type bridge && ip netns add skerry-theirs',
  'mkdir -p /run/skerry /etc/skerry && echo theirs >/run/skerry/theirs && echo theirs >/etc/skerry/theirs',
].join(' && ');

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

it('a power cut in the middle of an install leaves nothing that the same command does not end', async () => {
  for (const step of ['stage release', 'start side agent']) {
    await left.must(
      `(cd ${MEDIA}/this && setsid ${joinCommand(said)} >/var/tmp/log 2>&1 &); until grep -q '^==> ${step}' /var/tmp/log; do sleep 0.02; done; rm /var/tmp/log`,
    );
    await left.powerOff();
    await left.boot();
  }
  await left.must('nft add table ip skerry-theirs && nft add table inet filter');
  await left.must('ip link add sk-theirs type bridge && ip netns add skerry-theirs');
  await left.must('mkdir -p /run/skerry && echo theirs >/run/skerry/theirs');
});

it('two devices join by the line that the master printed, pasted as it is', async () => {
  await left.must(`cd ${MEDIA}/this && ${joinCommand(said)}`);
  await right.must(`cd ${MEDIA}/this && ${await nextJoin()}`);
  await installed.kubectl('wait --for=condition=Ready node --all --timeout=60s');
  expect((await nodes()).match(/^\S+ +Ready /gm)).toHaveLength(3);
});

it('a token that install.sh had to leave is removed by the agent, once it is connected', async () => {
  await left.must(
    `umask 077 && echo '${joinCommand(said).split(' ')[5]}' >/etc/skerry/join-token && systemctl restart skerry-agent`,
  );
  await left.until('[ ! -e /etc/skerry/join-token ]');
});

it("an agent runs on its archive's Node.js, with the V8 settings of a small device", async () => {
  const line = await left.must(
    "tr '\\0' ' ' </proc/$(systemctl show -P MainPID skerry-agent)/cmdline",
  );
  expect(line).toMatch(
    /^\/usr\/lib\/skerry\/\S+\/node\/bin\/node .*--invocation-count-for-turbofan=\d+ /,
  );
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

it('a device that is given options that cannot be runs on with those that it had', async () => {
  const before = await right.must('cat /etc/skerry/agent.yaml');
  const result = await right.run(`${MEDIA}/this/install.sh agent --node-ip 192.168.77`);
  expect(result.stderr).toMatch(
    /^install\.sh: skerry-agent did not come up with these options, and runs with the former ones again: [^\n]*nodeIp 192\.168\.77: [^\n]*\n$/,
  );
  expect(await right.must('cat /etc/skerry/agent.yaml')).toBe(before);
  await right.must('systemctl is-enabled skerry-agent && systemctl is-active skerry-agent');
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
  await right.must(`${MEDIA}/this/install.sh master --with-agent=false`);
  const foreign = (await right.must('skerry token create')).trim();
  await right.must(`${MEDIA}/this/install.sh uninstall --yes`);
  expect(await refusedJoin(right, foreign)).toMatch(/^install\.sh: [^\n]*another cluster[^\n]*\n$/);
});

it('a name that another node has is refused in one sentence', async () => {
  const sentence = await refusedJoin(right, await token(), '--node-name left');
  expect(sentence).toMatch(/^install\.sh: [^\n]*"?left"?[^\n]*\n$/);
  expect((await right.run('systemctl is-enabled skerry-agent')).stdout).toBe('disabled\n');
  expect(await right.must('ls /etc/skerry')).toBe('');
});

/** What an uninstall left, and what it took that was not ours: nothing. The engine's monitors tidy up for a moment behind their containers. */
async function expectNothingDone(machine: Machine): Promise<void> {
  await expect
    .poll(() => changesOf(machine), { timeout: 20_000, interval: 500 })
    .toEqual({ left: {}, taken: {} });
}

async function changesOf(machine: Machine) {
  const [then, now] = [before.get(machine) ?? {}, await tracesOf(machine)];
  // Processes and what they hold come and go by themselves.
  const { processes, namespaces, cgroups, ...lasting } = then;
  return { left: newTraces(then, now), taken: newTraces(now, lasting) };
}

it('after an uninstall that was killed and run again a device is as it was before', async () => {
  await left.must(
    `setsid ${MEDIA}/this/install.sh uninstall --yes >/tmp/log 2>&1 & uninstall=$!; until grep -q '^==> remove pods' /tmp/log; do sleep 0.02; done; sleep 0.3; kill -9 -$uninstall; rm /tmp/log`,
  );
  await left.must(`${MEDIA}/this/install.sh uninstall --yes`);
  await expectNothingDone(left);
});

it('after uninstall a master with an agent is as it was before, with what is not ours', async () => {
  await master.must(`${MEDIA}/this/install.sh uninstall --yes`);
  await expectNothingDone(master);
});
