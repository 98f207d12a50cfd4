import { expect, test } from 'vitest';
import { goArchitecture, type NodeFacts, nodeStatus } from './node-status.ts';
import { pressureOf } from './pressure.ts';

const facts: NodeFacts = {
  machine: {
    cpus: 4,
    memoryBytes: 4 * 1024 ** 3,
    storageBytes: 32 * 1024 ** 3,
    kernelVersion: '6.12.1',
    osImage: 'Debian GNU/Linux 13 (trixie)',
    machineId: 'm',
    bootId: 'b',
    systemUuid: 'u',
  },
  runtime: { name: 'podman', version: 'podman://5.4.2', ociRuntime: 'crun' },
  hostname: 'pi',
  nodeIp: '192.0.2.7',
  architecture: 'arm64',
  kubeletVersion: 'v1.33.13+skerry.0.1.0',
  networkReady: true,
  pressure: { memory: false, disk: false, pid: false },
  images: [],
};

test('allocatable keeps back what the kubelet keeps back by default', () => {
  const { capacity, allocatable } = nodeStatus(facts, undefined, '2026-01-01T00:00:00Z');
  expect(capacity).toEqual({
    cpu: '4',
    memory: '4194304Ki',
    'ephemeral-storage': '33554432Ki',
    pods: '110',
  });
  expect(allocatable).toEqual({
    cpu: '4',
    memory: '4091904Ki',
    'ephemeral-storage': '30198988Ki',
    pods: '110',
  });
});

test('a condition that stays as it was keeps both of its times', () => {
  const first = nodeStatus(facts, undefined, '2026-01-01T00:00:00Z');
  expect(nodeStatus(facts, first, '2026-01-02T00:00:00Z')).toEqual(first);
});

test('a condition that turns carries the time of the turn, the others do not', () => {
  const first = nodeStatus(facts, undefined, '2026-01-01T00:00:00Z');
  const second = nodeStatus({ ...facts, networkReady: false }, first, '2026-01-02T00:00:00Z');
  expect(second.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'KubeletNotReady',
    lastTransitionTime: '2026-01-02T00:00:00Z',
  });
  expect(second.conditions?.find(({ type }) => type === 'DiskPressure')).toEqual(
    first.conditions?.find(({ type }) => type === 'DiskPressure'),
  );
});

test('scarce memory, disk, inodes and threads are each a pressure', () => {
  const plenty = {
    memoryAvailableBytes: 1e9,
    storageAvailableShare: 0.5,
    inodesFreeShare: 0.5,
    threads: 100,
    threadsMax: 1000,
  };
  expect(pressureOf(plenty)).toEqual({ memory: false, disk: false, pid: false });
  expect(pressureOf({ ...plenty, memoryAvailableBytes: 90 * 1024 * 1024 }).memory).toBe(true);
  expect(pressureOf({ ...plenty, storageAvailableShare: 0.09 }).disk).toBe(true);
  expect(pressureOf({ ...plenty, inodesFreeShare: 0.04 }).disk).toBe(true);
  expect(pressureOf({ ...plenty, threads: 950 }).pid).toBe(true);
});

test('architectures carry the names that Kubernetes uses', () => {
  expect(['x64', 'arm64', 'arm', 'ia32', 'ppc64'].map(goArchitecture)).toEqual([
    'amd64',
    'arm64',
    'arm',
    '386',
    'ppc64',
  ]);
});
