import { afterAll, beforeAll, expect, it } from 'vitest';
import { podManifest } from '../e2e/pods.ts';
import { containersOf, InstalledBed } from './installed.ts';
import type { Machine } from './machine.ts';

/** What happens to the daemons of one machine, a master with an agent and ten pods, and what does not happen to the pods. */
const installed = new InstalledBed();
const NAMES = Array.from({ length: 10 }, (_, index) => `pod-${index}`);
let machine: Machine;
let containers: string[] = [];

beforeAll(async () => {
  await installed.open();
  machine = await installed.machine('alone');
  await installed.master(machine);
  const items = NAMES.map((name) => JSON.parse(podManifest(name)));
  await installed.kubectl('apply -f -', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await ready();
  containers = await containersOf(machine);
}, 600_000);

afterAll(() => installed.close());

const ready = () => installed.kubectl('wait --for=condition=Ready pod --all --timeout=60s');
const property = async (unit: string, name: string) =>
  (await machine.must(`systemctl show -P ${name} ${unit}`)).trim();
/** Every pinned namespace with its inode: the namespace itself, not only its name. */
const pins = () => machine.must("find /run/skerry -type f -exec stat -c '%n %i' {} + | sort");

/** The master is healthy and the agent linked: a node's status alone may be that of before, for as long as its lease lasts. */
const well = () => machine.until('skerry status');

/** As soon as the unit runs as another process than `pid`, and all is well. */
async function restarted(unit: string, pid: string): Promise<void> {
  await machine.until(
    `[ $(systemctl show -P MainPID ${unit}) != ${pid} ] && systemctl is-active -q ${unit}`,
  );
  await well();
}

/** From the start of the agent's process to the start of the last container. */
async function startToPodsMs(): Promise<number> {
  const agent = 'date +%s%3N -d "$(systemctl show -P ExecMainStartTimestamp skerry-agent)"';
  const pods =
    "podman inspect -f '{{.State.StartedAt.UnixMilli}}' $(podman ps -q) | sort -n | tail -1";
  return Number(await machine.must(`echo $(( $(${pods}) - $(${agent}) ))`));
}

for (const unit of ['skerry-agent', 'skerry-master']) {
  it(`${unit} killed with -9 is started again, and no container is touched`, async () => {
    const pid = await property(unit, 'MainPID');
    await machine.must(`kill -9 ${pid}`);
    await restarted(unit, pid);
    expect(await containersOf(machine)).toEqual(containers);
    await ready();
  });

  it(`${unit} that hangs is started again by the watchdog, and no container is touched`, async () => {
    const folder = `/run/systemd/system/${unit}.service.d`;
    const dropIn = '[Service]\\nWatchdogSec=10s\\n';
    await machine.must(
      `mkdir -p ${folder} && printf '${dropIn}' >${folder}/watchdog.conf && systemctl daemon-reload`,
    );
    await machine.must(`systemctl restart ${unit}`);
    const pid = await property(unit, 'MainPID');
    await machine.must(`sleep 12; [ $(systemctl show -P MainPID ${unit}) = ${pid} ]`);
    await machine.must(`kill -STOP ${pid}`);
    await restarted(unit, pid);
    await machine.must(`rm -r ${folder} && systemctl daemon-reload`);
    expect(await containersOf(machine)).toEqual(containers);
  });

  it(`systemctl restart ${unit} leaves containers and pinned namespaces as they are`, async () => {
    const before = await pins();
    expect(before.match(/\bnet\b/g)?.length).toBeGreaterThanOrEqual(NAMES.length);
    const pid = await property(unit, 'MainPID');
    await machine.must(`systemctl restart ${unit}`);
    await restarted(unit, pid);
    expect(await containersOf(machine)).toEqual(containers);
    expect(await pins()).toBe(before);
    await ready();
  });
}

it('systemctl stop leaves the pods running, and says so', async () => {
  const since = (await machine.must('date +%s.%N')).trim();
  await machine.must('systemctl stop skerry-agent skerry-master');
  expect(await containersOf(machine)).toEqual(containers);
  // The journal reads what a program said at its end when it gets to it.
  const said = `journalctl -u skerry-agent --since @${since} -o cat --no-pager`;
  await machine.until(`${said} | grep -F 'pods go on running'`);
  await machine.must('systemctl start skerry-master skerry-agent');
  await well();
  expect(await containersOf(machine)).toEqual(containers);
});

for (const how of ['a reboot', 'a power cut']) {
  it(`after ${how} with the network cut the pods come back`, async () => {
    if (how === 'a reboot') await machine.reboot('down');
    else {
      await machine.powerOff();
      await machine.boot('down');
    }
    await machine.until('[ $(podman ps -q | wc -l) = 10 ]');
    process.stdout.write(`${how} offline: agent start to 10 pods: ${await startToPodsMs()} ms\n`);
    await machine.mendNetwork();
    await well();
    await ready();
    expect(await containersOf(machine)).toHaveLength(10);
  });
}
