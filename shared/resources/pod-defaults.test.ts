import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec, Volume } from '../schema/kubernetes-types.ts';
import { PODS } from './pod.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { created, createErrors, sent } from './writes-for-tests.ts';

const pod = (spec: Partial<PodSpec>): Pod =>
  created(PODS, sent<Pod>({ spec: { containers: [{ name: 'a', image: 'busybox' }], ...spec } }));
const container = (fields: Partial<Container>): Container | undefined =>
  pod({ containers: [{ name: 'a', image: 'busybox', ...fields }] }).spec.containers[0];
const volume = (fields: Partial<Volume>): Volume | undefined =>
  pod({ volumes: [{ name: 'v', ...fields }] }).spec.volumes?.[0];

describe('a pod with nothing but a container', () => {
  it('is filled in as on Kubernetes', () => {
    expect(pod({}).spec).toEqual({
      containers: [
        {
          name: 'a',
          image: 'busybox',
          imagePullPolicy: 'Always',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          resources: {},
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      tolerations: ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map(
        (key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }),
      ),
    });
  });

  it('is Pending, of the first generation, with its QoS class', () => {
    const { metadata, status } = pod({});
    expect(metadata.generation).toBe(1);
    expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });
});

describe('the pull policy follows the tag', () => {
  it.each([
    ['busybox', 'Always'],
    ['busybox:latest', 'Always'],
    ['busybox:1.36', 'IfNotPresent'],
    ['localhost:5000/busybox', 'Always'],
    ['localhost:5000/busybox:1', 'IfNotPresent'],
    [`busybox@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    [`busybox:latest@sha256:${'0'.repeat(64)}`, 'Always'],
  ])('%s: %s', (image, policy) => {
    expect(container({ image })?.imagePullPolicy).toBe(policy);
  });
});

describe('a container', () => {
  it('requests what it limits, in canonical quantities', () => {
    expect(
      container({
        resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: '0.5' } },
      })?.resources,
    ).toEqual({
      limits: { cpu: '1', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    });
  });

  it('has TCP ports and probes with every number', () => {
    const probe = { httpGet: { port: 80 }, periodSeconds: 3 };
    const filled = container({ ports: [{ containerPort: 80 }], readinessProbe: probe });
    expect(filled?.ports).toEqual([{ containerPort: 80, protocol: 'TCP' }]);
    expect(filled?.readinessProbe).toEqual({
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 3,
      successThreshold: 1,
      failureThreshold: 3,
    });
  });

  it('reads fields of v1 objects', () => {
    const valueFrom = { fieldRef: { fieldPath: 'metadata.name' } };
    expect(container({ env: [{ name: 'N', valueFrom }] })?.env?.[0]?.valueFrom?.fieldRef).toEqual({
      apiVersion: 'v1',
      fieldPath: 'metadata.name',
    });
  });

  it('on the host network has host ports, in a pod but not in a template', () => {
    const spec = {
      hostNetwork: true,
      containers: [{ name: 'a', image: 'b', ports: [{ containerPort: 80 }] }],
    };
    expect(pod(spec).spec.containers[0]?.ports?.[0]?.hostPort).toBe(80);
    const template = defaultPodTemplate({ spec });
    expect(template.spec?.containers[0]?.ports?.[0]).not.toHaveProperty('hostPort');
    expect(template.spec).not.toHaveProperty('enableServiceLinks');
  });
});

describe('a volume', () => {
  it.each<[Partial<Volume>, Partial<Volume>]>([
    [{}, { emptyDir: {} }],
    [{ emptyDir: { sizeLimit: '1024Ki' } }, { emptyDir: { sizeLimit: '1Mi' } }],
    [{ secret: { secretName: 's' } }, { secret: { secretName: 's', defaultMode: 420 } }],
    [
      { configMap: { name: 'c', defaultMode: 256 } },
      { configMap: { name: 'c', defaultMode: 256 } },
    ],
    [{ hostPath: { path: '/' } }, { hostPath: { path: '/', type: '' } }],
  ])('%j becomes %j', (given, expected) => {
    expect(volume(given)).toEqual({ name: 'v', ...expected });
  });
});

describe('any pod', () => {
  const anyContainer = fc.record(
    {
      image: fc.constantFrom('a', 'a:1', 'r.io/a@sha256:0'),
      ports: fc.constantFrom([], [{ containerPort: 80 }]),
      resources: fc.constantFrom(
        {},
        { limits: { cpu: '1000m' } },
        { requests: { memory: '0.5Gi' } },
      ),
      livenessProbe: fc.constantFrom({ exec: { command: ['a'] } }, { tcpSocket: { port: 1 } }),
      env: fc.constantFrom(
        [],
        [{ name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }],
      ),
    },
    { requiredKeys: ['image'] },
  );
  const anySpec = fc.record(
    {
      containers: fc.array(anyContainer, { minLength: 1, maxLength: 3 }),
      restartPolicy: fc.constantFrom('Always', 'Never', ''),
      volumes: fc.constantFrom([], [{ name: 'v' }], [{ name: 'v', secret: { secretName: 's' } }]),
      hostNetwork: fc.boolean(),
    },
    { requiredKeys: ['containers'] },
  );

  it('is defaulted once and for all, and valid after that', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const containers = spec.containers.map((one, index) => ({
          ...one,
          name: `c${index}`,
          ports: one.ports?.map(() => ({ containerPort: 8000 + index })) ?? [],
        }));
        const object = sent<Pod>({ spec: { ...spec, containers } });
        const once = created(PODS, object);
        expect(PODS.strategy.default(once)).toEqual(once);
        expect(createErrors(PODS, object)).toEqual([]);
      }),
    );
  });
});
