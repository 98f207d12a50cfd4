import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../testbed/device.ts';
import { type Loose, SAMPLE } from './cluster.ts';

async function samplePods(machine: Device): Promise<Loose[]> {
  const list = await machine.must('kubectl', '-n', 'sample', 'get', 'pods', '-o', 'json');
  return JSON.parse(list).items;
}

const MASTER = ['--listen', '127.0.0.1:6443', '--cluster-cidr', '10.158.0.0/16'];

describe('a machine that loses its power', () => {
  const machine = new Device(mkdtempSync(join(tmpdir(), 'skerry-reboot-')));

  beforeAll(async () => {
    await machine.powerOn();
    await machine.start('up', ...MASTER);
    await machine.must('kubectl', 'apply', '-f', SAMPLE);
    for (const name of ['front', 'back']) {
      const rollout = ['-n', 'sample', 'rollout', 'status', `deploy/${name}`, '--timeout=60s'];
      await machine.must('kubectl', ...rollout);
    }
  });

  afterAll(async () => {
    await machine.remove();
  });

  it('brings its pods back by itself, without a master, at the same addresses', async () => {
    const before = new Map((await samplePods(machine)).map((pod) => [pod.metadata.uid, pod]));
    expect(before.size).toBe(3);
    await machine.powerOff();
    await machine.powerOn();
    expect(await machine.containers()).toEqual([]);

    await machine.start('agent');
    await expect.poll(() => machine.containers(), { timeout: 30_000 }).toHaveLength(5);
    const started = await machine.containers();
    expect(started.every((name) => name.endsWith('-1'))).toBe(true);

    await machine.start('master', ...MASTER);
    const isReported = ({ status }: Loose) =>
      status.containerStatuses.every((one: Loose) => one.ready && one.restartCount === 1);
    await expect
      .poll(async () => (await samplePods(machine)).filter(isReported).length, { timeout: 60_000 })
      .toBe(3);
    for (const { metadata, status } of await samplePods(machine)) {
      const was = before.get(metadata.uid);
      expect(status.podIP).toBe(was.status.podIP);
      for (const { lastState, containerID } of status.containerStatuses) {
        expect(lastState.terminated).toMatchObject({ exitCode: 255, reason: 'Unknown' });
        expect(JSON.stringify(was.status)).not.toContain(containerID);
      }
    }
  });
});
