/**
 * What an installed master and agent with ten pods hold in memory and write while nothing happens, in a machine with systemd. Needs root
 * and what test/machines needs: `SKERRY_E2E_DIST=dist npx tsx bench/install.bench.ts [--idle SECONDS] [--others NODES]`.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { podManifest } from '../test/e2e/pods.ts';
import { makeSampleImage } from '../test/e2e/sample-image.ts';
import { InstalledBed, joinCommand } from '../test/machines/installed.ts';
import type { Machine } from '../test/machines/machine.ts';
import { MEDIA } from '../test/machines/releases.ts';

const PODS = 10;
const UNITS = ['skerry-agent', 'skerry-master'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      idle: { type: 'string', default: '600' },
      others: { type: 'string', default: '2' },
    },
  });
  process.env['SKERRY_E2E_DIST'] ??= join(import.meta.dirname ?? '.', '../dist');
  const installed = new InstalledBed();
  try {
    await makeSampleImage();
    await installed.open();
    const machine = await installed.machine('bench');
    const said = await installed.master(machine);
    const items = Array.from({ length: PODS }, (_, index) =>
      JSON.parse(podManifest(`pod-${index}`)),
    );
    await installed.kubectl(
      'apply -f -',
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    await installed.kubectl('wait --for=condition=Ready pod --all --timeout=60s');
    // They come after the pods, which so stay on the machine that is measured.
    for (let index = 0; index < Number(values.others); index++) {
      const other = await installed.machine(`other-${index}`);
      const token = (await machine.must('skerry token create')).trim();
      await other.must(`cd ${MEDIA}/this && ${joinCommand(said).replace(/\S+$/, token)}`);
    }
    // What the start leaves to be collected and saved.
    await sleep(30_000);
    const before = await machine.must(STATE);
    await sleep(Number(values.idle) * 1000);
    const after = await machine.must(STATE);
    const changed = after.split('\n').filter((line) => !before.includes(line));
    for (const unit of UNITS) console.log(`${unit}: ${await memoryOf(machine, unit)}`);
    console.log(
      `files changed in the state folders in ${values.idle} idle seconds: ${changed.length}`,
    );
    for (const line of changed) console.log(`  ${line}`);
    await machine.must('systemctl restart skerry-agent');
    await sleep(30_000);
    console.log(`skerry-agent, started again: ${await memoryOf(machine, 'skerry-agent')}`);
    console.log(await machine.must('systemd-analyze security --no-pager | grep skerry'));
  } finally {
    await installed.close();
  }
}

/** Every file of the state folders with size, inode and time of its last change. */
const STATE = "find /var/lib/skerry -type f -printf '%p %s %i %T@\\n' | sort";

async function memoryOf(machine: Machine, unit: string): Promise<string> {
  const rollup = await machine.must(`cat /proc/$(systemctl show -P MainPID ${unit})/smaps_rollup`);
  const kib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  const mb = (value: number) => (value / 1024).toFixed(1);
  const own = kib('Private_Clean') + kib('Private_Dirty');
  return `RSS ${mb(kib('Rss'))} MB, private ${mb(own)} MB, anonymous ${mb(kib('Anonymous'))} MB`;
}

await main();
