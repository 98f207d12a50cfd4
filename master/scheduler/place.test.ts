import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Node as KubeNode, Pod, PodSpec } from '../../shared/schema/kubernetes-types.ts';
import {
  addAmounts,
  NOTHING,
  type NodeView,
  nodeAllocatable,
  podAmounts,
  podHostPorts,
} from './node-view.ts';
import { place } from './place.ts';

function node(
  name: string,
  change: {
    cpu?: string;
    memory?: string;
    pods?: string;
    ready?: string;
    spec?: KubeNode['spec'];
    labels?: Record<string, string>;
  } = {},
): KubeNode {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '',
      labels: change.labels ?? {},
    },
    spec: change.spec ?? {},
    status: {
      allocatable: {
        cpu: change.cpu ?? '4',
        memory: change.memory ?? '4Gi',
        pods: change.pods ?? '110',
      },
      conditions: [{ type: 'Ready', status: change.ready ?? 'True' }],
    },
  };
}

function view(of: KubeNode, pods: readonly Pod[] = []): NodeView {
  const { amounts, pods: allowedPods } = nodeAllocatable(of);
  return {
    node: of,
    allocatable: amounts,
    allowedPods,
    requested: pods.map(podAmounts).reduce((sum, next) => addAmounts(sum, next), NOTHING),
    podCount: pods.length,
    hostPorts: new Set(pods.flatMap(podHostPorts)),
  };
}

function pod(requests: Record<string, string> = {}, spec: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'default',
      uid: 'p',
      resourceVersion: '1',
      creationTimestamp: '',
    },
    spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
    status: {},
  };
}

const placed = (wanted: Pod, nodes: NodeView[]) =>
  place({ pod: wanted, requests: podAmounts(wanted), hostPorts: podHostPorts(wanted) }, nodes);

describe('a pod that fits nowhere is told why', () => {
  test('there is no node', () => {
    expect(placed(pod(), [])).toEqual({
      node: undefined,
      message: 'no nodes available to schedule pods',
    });
  });

  test('each reason is counted over the nodes', () => {
    const nodes = [
      view(node('a', { memory: '1Gi' })),
      view(node('b', { memory: '1Gi' })),
      view(node('c', { spec: { unschedulable: true } })),
    ];
    expect(placed(pod({ memory: '2Gi' }), nodes)).toEqual({
      node: undefined,
      message: '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory.',
    });
  });

  test.each([
    [{ ready: 'Unknown' }, '1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }'],
    [{ ready: 'False' }, '1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }'],
    [{ pods: '0' }, '1 Too many pods'],
    [{ cpu: '500m' }, '1 Insufficient cpu'],
    [
      { spec: { taints: [{ key: 'edge', value: 'yes', effect: 'NoSchedule' }] } },
      '1 node(s) had untolerated taint {edge: yes}',
    ],
  ])('a node with %j is refused', (change, reason) => {
    expect(placed(pod({ cpu: '1' }), [view(node('a', change))])).toEqual({
      node: undefined,
      message: `0/1 nodes are available: ${reason}.`,
    });
  });

  test('its host port is taken', () => {
    const web = pod(
      {},
      {
        containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }],
      },
    );
    expect(placed(web, [view(node('a'), [web])])).toMatchObject({
      message:
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    });
  });

  test('no node has its labels', () => {
    expect(placed(pod({}, { nodeSelector: { disk: 'ssd' } }), [view(node('a'))])).toMatchObject({
      message: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    });
  });
});

test('a toleration lets a pod onto a tainted node', () => {
  const tainted = view(
    node('a', { spec: { taints: [{ key: 'edge', value: 'yes', effect: 'NoSchedule' }] } }),
  );
  expect(
    placed(pod({}, { tolerations: [{ key: 'edge', operator: 'Exists' }] }), [tainted]),
  ).toEqual({ node: 'a' });
});

test('the node with more left is chosen', () => {
  const busy = view(node('a'), [pod({ cpu: '3', memory: '3Gi' })]);
  expect(placed(pod({ cpu: '100m' }), [busy, view(node('b'))])).toEqual({ node: 'b' });
});

test('pods that ask for nothing spread', () => {
  expect(placed(pod(), [view(node('a'), [pod(), pod()]), view(node('b'), [pod()])])).toEqual({
    node: 'b',
  });
});

test('whatever is placed fits, and nothing waits while a node has room', () => {
  const amount = fc.integer({ min: 0, max: 4000 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(amount, amount), { minLength: 1, maxLength: 6 }),
      fc.array(amount, { maxLength: 20 }),
      (nodes, wants) => {
        const views = nodes.map(([cpu, memory], index) => ({
          of: node(`n${index}`, { cpu: `${cpu}m`, memory: `${memory}Mi` }),
          pods: [] as Pod[],
        }));
        for (const want of wants) {
          const wanted = pod({ cpu: `${want}m`, memory: `${want}Mi` });
          const current = views.map(({ of, pods }) => view(of, pods));
          const { node: chosen } = placed(wanted, current);
          const roomy = current.filter(
            ({ allocatable, requested }) =>
              (want <= allocatable.milliCpu - requested.milliCpu &&
                want * 2 ** 20 <= allocatable.memoryBytes - requested.memoryBytes) ||
              want === 0,
          );
          if (chosen === undefined) expect(roomy).toEqual([]);
          else {
            expect(roomy.map(({ node: { metadata } }) => metadata.name)).toContain(chosen);
            views.find(({ of }) => of.metadata.name === chosen)?.pods.push(wanted);
          }
        }
      },
    ),
  );
});
