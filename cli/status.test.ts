import { expect, test } from 'vitest';
import type { DeviceStatus } from './device-status.ts';
import { Paint } from './paint.ts';
import { printStatus } from './status.ts';

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
