import { expect, test } from 'vitest';
import type { DeviceStatus } from './device-status.ts';
import { Paint } from './paint.ts';
import { isWell, printStatus, status } from './status.ts';

const NOW = Date.parse('2026-12-01T10:00:00Z');
const DEVICE: DeviceStatus = {
  dataDir: '/var/lib/skerry',
  node: 'pi',
  server: 'https://hub:6443',
  agentRuns: true,
  agentPid: 7,
  linked: true,
  pods: { total: 2, running: 2, completed: 0, others: [] },
};

function line(name: string, more: Partial<DeviceStatus>): string | undefined {
  const device = { ...DEVICE, ...more };
  const text = printStatus({ well: true, device }, NOW, new Paint({ isTTY: false }));
  return new RegExp(`^ {2}${name} +(.*)$`, 'm').exec(text)?.[1];
}

test('without its agent the states of pods are those that it last saw', () => {
  expect(line('pods', {})).toBe('2 of 2 running');
  const ended = { agentRuns: false, linked: false };
  expect(line('agent', ended)).toBe('does not run');
  expect(line('pods', ended)).toBe('2 of 2 running, when the agent last saw them');
  const none = { ...ended, pods: { total: 0, running: 0, completed: 0, others: [] } };
  expect(line('pods', none)).toBe('0 of 0 running');
});

test.each([
  ['up', {}, 'up, to https://hub:6443'],
  [
    'up, and the master does not serve it',
    { obstacle: 'the master does not serve this device: its release is too old' },
    'up, to https://hub:6443, but the master does not serve this device: its release is too old',
  ],
  [
    'down, and the agent knows why',
    { linked: false, obstacle: 'could not join anew: the join token has ended' },
    'down: no connection to https://hub:6443: could not join anew: the join token has ended; pods go on as they were last told',
  ],
  [
    'down, and nothing is known',
    { linked: false },
    'down: no connection to https://hub:6443; pods go on as they were last told',
  ],
])('the link is %s', (_what, more, expected) => {
  expect(line('link', more)).toBe(expected);
});

test('a device that waits to join says why', () => {
  const text = (obstacle?: string) => {
    const { node: _node, server: _server, ...stranger } = DEVICE;
    const device = { ...stranger, linked: false, ...(obstacle !== undefined && { obstacle }) };
    return printStatus({ well: false, device }, NOW, new Paint({ isTTY: false }));
  };
  expect(text('cannot join through https://hub:6443 yet: the join token has ended')).toMatch(
    /link +cannot join through https:\/\/hub:6443 yet: the join token has ended\n/,
  );
  expect(text()).toMatch(/link +waits to join; the log of its agent says why\n/);
});

test('a device that is not served is not well', () => {
  expect(isWell(undefined, DEVICE, NOW)).toBe(true);
  expect(isWell(undefined, { ...DEVICE, obstacle: 'refused' }, NOW)).toBe(false);
});

test('where no agent is there is nothing to say of this device alone', async () => {
  await expect(status.run(['--local', '--data-dir', '/nope'])).rejects.toThrow(
    'no agent keeps its state in /nope: name another with --data-dir',
  );
});
