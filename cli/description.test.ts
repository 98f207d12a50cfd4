import { expect, test } from 'vitest';
import type { EndpointSlice } from '../shared/schema/kubernetes-types.ts';
import { describeObject } from './description.ts';
import { Paint } from './paint.ts';

const NOW = Date.parse('2026-12-01T10:00:00Z');
const table = {
  columnDefinitions: [
    { name: 'Name', priority: 0 },
    { name: 'Status', priority: 0 },
    { name: 'Age', priority: 0 },
    { name: 'Node', priority: 1 },
  ],
  rows: [{ cells: ['web', 'CrashLoopBackOff', '5m', 'pi'], object: { metadata: { name: 'web' } } }],
};
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    labels: { app: 'web', tier: 'front' },
    creationTimestamp: '2026-12-01T09:55:00Z',
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', apiVersion: 'apps/v1', uid: 'u' }],
  },
  spec: { nodeName: 'pi', containers: [{ name: 'main', image: 'web:1' }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }],
    containerStatuses: [
      {
        name: 'main',
        image: 'web:1',
        imageID: '',
        ready: false,
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error' } },
      },
    ],
  },
};
const plain = new Paint({});
const event = (last: string, message: string, more = {}) => ({
  type: 'Warning',
  reason: 'BackOff',
  message,
  lastTimestamp: last,
  source: { component: 'kubelet' },
  ...more,
});

test('a pod that crashes says so in one look', () => {
  const events = [
    event('2026-12-01T09:59:00Z', 'Back-off restarting', {
      count: 5,
      firstTimestamp: '2026-12-01T09:55:00Z',
    }),
    event('2026-12-01T09:56:00Z', 'Started', { type: 'Normal', reason: 'Started' }),
  ];
  expect(
    describeObject({ object: pod, table, events, pods: undefined }, NOW, plain),
  ).toBe(`Name:         web
Namespace:    shop
Kind:         Pod
Labels:       app=web
              tier=front
Annotations:  <none>
Created:      2026-12-01T09:55:00Z (5m ago)
Owned by:     ReplicaSet/web-1
Status:       CrashLoopBackOff
Node:         pi
Conditions:
  TYPE    STATUS   REASON               MESSAGE
  Ready   False    ContainersNotReady
Containers:
  NAME   IMAGE   STATE                                      READY   RESTARTS   LAST END
  main   web:1   waiting: CrashLoopBackOff (back-off 40s)   false   4          Error, code 3
Spec:
  nodeName: pi
  containers:
  - name: main
    image: web:1
Status:
  phase: Running
Events:
  AGE                TYPE      REASON    FROM      MESSAGE
  4m                 Normal    Started   kubelet   Started
  60s (x5 over 5m)   Warning   BackOff   kubelet   Back-off restarting
`);
});

test('the values of a Secret are not shown', () => {
  const object = {
    kind: 'Secret',
    metadata: { name: 's', creationTimestamp: '2026-12-01T09:00:00Z' },
    type: 'Opaque',
    data: { password: Buffer.from('hunter2').toString('base64') },
  };
  const text = describeObject({ object, table, events: [], pods: undefined }, NOW, plain);
  expect(text).toContain('Type: Opaque\nData:\n  password: 7 bytes\nEvents:\n  <none>\n');
  expect(text).not.toContain(object.data.password);
});

test('a service shows the endpoints that are ready, for each of its ports', () => {
  const endpoint = (address: string, ready?: boolean) => ({
    addresses: [address],
    conditions: ready === undefined ? {} : { ready },
  });
  const slices = [
    {
      ports: [
        { name: 'http', port: 8080 },
        { name: 'dns', port: 53 },
      ],
      endpoints: [endpoint('10.42.0.2', true), endpoint('10.42.0.3', false)],
    },
    {
      ports: [{ name: 'http', port: 8081 }],
      endpoints: [endpoint('10.42.1.2'), endpoint('fd00::2')],
    },
  ];
  const object = { kind: 'Service', metadata: { name: 'web' } };
  const of = (found: object[]) =>
    describeObject(
      { object, table, events: [], pods: undefined, slices: found as EndpointSlice[] },
      NOW,
      plain,
    );
  expect(of(slices)).toMatch(
    /^Endpoints: +http 10\.42\.0\.2:8080, 10\.42\.1\.2:8081, \[fd00::2\]:8081\n +dns 10\.42\.0\.2:53\n/m,
  );
  expect(of([{ ports: [{ name: '', port: 80 }], endpoints: [endpoint('10.42.0.2')] }])).toMatch(
    /^Endpoints: +10\.42\.0\.2:80\n/m,
  );
  expect(of([])).toMatch(/^Endpoints: +<none>\n/m);
});

test('a node shows its pods', () => {
  const object = { kind: 'Node', metadata: { name: 'pi' }, status: { images: [{ names: ['x'] }] } };
  const row = { cells: ['web'], object: { metadata: { name: 'web', namespace: 'shop' } } };
  const pods = { columnDefinitions: [{ name: 'Name', priority: 0 }], rows: [row] };
  const text = describeObject({ object, table, events: [], pods }, NOW, plain);
  expect(text).toContain('Pods:\n  NAMESPACE   NAME\n  shop        web\n');
  expect(text).not.toContain('names');
});
