import { describe, expect, it } from 'vitest';
import type { ContainerState, ContainerStatus, Pod } from '../schema/kubernetes-types.ts';
import { PODS } from './pod.ts';
import { cells, sent } from './writes-for-tests.ts';

const NOW = Date.UTC(2026, 0, 1, 0, 10);

const status = (
  name: string,
  state: ContainerState,
  more: Partial<ContainerStatus> = {},
): ContainerStatus => ({
  name,
  image: 'b',
  imageID: '',
  ready: state.running !== undefined,
  restartCount: 0,
  state,
  ...more,
});
const running = (name: string, more: Partial<ContainerStatus> = {}): ContainerStatus =>
  status(name, { running: {} }, more);
const ended = (name: string, exitCode: number, reason?: string, signal?: number): ContainerStatus =>
  status(name, {
    terminated: { exitCode, ...(reason && { reason }), ...(signal && { signal }) },
  });

function pod(fields: { spec?: object; status?: object; metadata?: object }): Pod {
  return sent<Pod>({
    metadata: { creationTimestamp: '2026-01-01T00:00:00Z', ...fields.metadata },
    spec: { containers: [{ name: 'a' }, { name: 'b' }], ...fields.spec },
    status: { phase: 'Pending', ...fields.status },
  });
}

function line(fields: Parameters<typeof pod>[0]): string {
  const row = cells(PODS, pod(fields), NOW);
  return [row['Ready'], row['Status'], row['Restarts']].join(' ');
}

describe('a line of kubectl get pods', () => {
  it.each<[string, Parameters<typeof pod>[0], string]>([
    ['not scheduled', {}, '0/2 Pending 0'],
    [
      'starting',
      {
        status: {
          containerStatuses: [
            status('a', { waiting: { reason: 'ContainerCreating' } }),
            status('b', { waiting: { reason: 'ContainerCreating' } }),
          ],
        },
      },
      '0/2 ContainerCreating 0',
    ],
    [
      'running',
      { status: { phase: 'Running', containerStatuses: [running('a'), running('b')] } },
      '2/2 Running 0',
    ],
    [
      'half ready',
      {
        status: {
          phase: 'Running',
          containerStatuses: [running('a'), running('b', { ready: false })],
        },
      },
      '1/2 Running 0',
    ],
    [
      'crashing',
      {
        status: {
          phase: 'Running',
          containerStatuses: [
            running('a'),
            status(
              'b',
              { waiting: { reason: 'CrashLoopBackOff' } },
              {
                restartCount: 3,
                lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:07:00Z' } },
              },
            ),
          ],
        },
      },
      '1/2 CrashLoopBackOff 3 (3m ago)',
    ],
    [
      'out of memory',
      {
        status: {
          phase: 'Running',
          containerStatuses: [ended('a', 137, 'OOMKilled'), running('b')],
        },
      },
      '1/2 OOMKilled 0',
    ],
    [
      'completed',
      {
        status: {
          phase: 'Succeeded',
          containerStatuses: [ended('a', 0, 'Completed'), ended('b', 0, 'Completed')],
        },
      },
      '0/2 Completed 0',
    ],
    [
      'failed',
      {
        status: {
          phase: 'Failed',
          containerStatuses: [ended('a', 2, 'Error'), ended('b', 0, 'Completed')],
        },
      },
      '0/2 Error 0',
    ],
    [
      'ended without a reason',
      { status: { phase: 'Failed', containerStatuses: [ended('a', 7)] } },
      '0/2 ExitCode:7 0',
    ],
    [
      'killed without a reason',
      { status: { phase: 'Failed', containerStatuses: [ended('a', 137, undefined, 9)] } },
      '0/2 Signal:9 0',
    ],
    [
      'half completed',
      {
        status: { phase: 'Running', containerStatuses: [ended('a', 0, 'Completed'), running('b')] },
      },
      '1/2 NotReady 0',
    ],
    [
      'half completed and ready',
      {
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [ended('a', 0, 'Completed'), running('b')],
        },
      },
      '1/2 Running 0',
    ],
    [
      'initialising',
      {
        spec: { initContainers: [{ name: 'i' }, { name: 'j' }] },
        status: {
          initContainerStatuses: [ended('i', 0, 'Completed'), running('j', { ready: false })],
        },
      },
      '0/2 Init:1/2 0',
    ],
    [
      'failing to initialise',
      {
        spec: { initContainers: [{ name: 'i' }] },
        status: { initContainerStatuses: [ended('i', 1, 'Error')] },
      },
      '0/2 Init:Error 0',
    ],
    [
      'crashing at the start',
      {
        spec: { initContainers: [{ name: 'i' }] },
        status: {
          initContainerStatuses: [
            status('i', { waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 2 }),
          ],
        },
      },
      '0/2 Init:CrashLoopBackOff 2',
    ],
    [
      'with a sidecar',
      {
        spec: { initContainers: [{ name: 'i', restartPolicy: 'Always' }] },
        status: {
          phase: 'Running',
          initContainerStatuses: [running('i', { started: true, restartCount: 1 })],
          containerStatuses: [running('a'), running('b')],
        },
      },
      '3/3 Running 1',
    ],
    [
      'terminating',
      {
        metadata: { deletionTimestamp: 'x' },
        status: { phase: 'Running', containerStatuses: [running('a'), running('b')] },
      },
      '2/2 Terminating 0',
    ],
    [
      'lost',
      { metadata: { deletionTimestamp: 'x' }, status: { phase: 'Running', reason: 'NodeLost' } },
      '0/2 Unknown 0',
    ],
    ['evicted', { status: { phase: 'Failed', reason: 'Evicted' } }, '0/2 Evicted 0'],
    [
      'gated',
      {
        status: {
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      },
      '0/2 SchedulingGated 0',
    ],
  ])('%s', (_what, fields, expected) => {
    expect(line(fields)).toBe(expected);
  });

  it('has wide columns', () => {
    const row = cells(
      PODS,
      pod({
        spec: { nodeName: 'n1', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] },
        status: { podIPs: [{ ip: '10.42.0.5' }], conditions: [{ type: 'a', status: 'True' }] },
      }),
      NOW,
    );
    expect(Object.keys(row)).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
      'IP',
      'Node',
      'Nominated Node',
      'Readiness Gates',
    ]);
    expect(row).toMatchObject({
      Age: '10m',
      IP: '10.42.0.5',
      Node: 'n1',
      'Nominated Node': '<none>',
      'Readiness Gates': '1/2',
    });
  });
});
