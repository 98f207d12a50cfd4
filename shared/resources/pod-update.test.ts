import { describe, expect, it } from 'vitest';
import type { Pod, PodSpec, PodStatus } from '../schema/kubernetes-types.ts';
import { PODS } from './pod.ts';
import { created, sent, updated, updateErrors } from './writes-for-tests.ts';

const stored = (spec: object = {}): Pod => {
  const pod = created(
    PODS,
    sent<Pod>({ spec: { containers: [{ name: 'a', image: 'b:1' }], ...spec } }),
  );
  return { ...pod, metadata: { ...pod.metadata, uid: 'u', resourceVersion: '1' } };
};
const changed = (pod: Pod, spec: Partial<PodSpec>): Pod => ({
  ...pod,
  spec: { ...pod.spec, ...spec },
});

describe('an update of a pod', () => {
  const pod = stored();

  it('may leave out what was filled in, but for the account that its creation chose', () => {
    const containers = [{ name: 'a', image: 'b:1' }];
    expect(updateErrors(PODS, sent<Pod>({ spec: { containers } }), pod)).toEqual([
      expect.stringContaining('- spec.serviceAccountName: "default"'),
    ]);
    const bare = sent<Pod>({ spec: { containers, serviceAccountName: 'default' } });
    expect(updateErrors(PODS, bare, pod)).toEqual([]);
    expect(updated(PODS, bare, pod).metadata.generation).toBe(1);
  });

  it('may change images, and then is of a new generation', () => {
    const next = changed(pod, { containers: [{ ...pod.spec.containers[0]!, image: 'b:2' }] });
    expect(updateErrors(PODS, next, pod)).toEqual([]);
    expect(updated(PODS, next, pod).metadata.generation).toBe(2);
  });

  it('may shorten the deadline and add tolerations', () => {
    const old = stored({ activeDeadlineSeconds: 10 });
    expect(updateErrors(PODS, changed(old, { activeDeadlineSeconds: 5 }), old)).toEqual([]);
    expect(updateErrors(PODS, changed(old, { activeDeadlineSeconds: 11 }), old)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value',
    ]);
    const tolerations = [{ key: 'a', operator: 'Exists' }];
    expect(updateErrors(PODS, changed(pod, { tolerations }), pod)).toEqual([]);
    const tolerant = stored({ tolerations });
    expect(updateErrors(PODS, changed(tolerant, { tolerations: [] }), tolerant)).toEqual([
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ]);
  });

  it('may change nothing else', () => {
    const [error] = updateErrors(PODS, changed(pod, { dnsPolicy: 'Default' }), pod);
    expect(error).toBe(
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
        '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
        '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n' +
        '- spec.dnsPolicy: "ClusterFirst"\n+ spec.dnsPolicy: "Default"\n',
    );
  });

  it('adds and removes no container', () => {
    const containers = [...pod.spec.containers, { name: 'c', image: 'b' }];
    expect(updateErrors(PODS, changed(pod, { containers }), pod)).toEqual([
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ]);
  });

  it('gives it no node: that is what a binding does', () => {
    expect(updateErrors(PODS, changed(pod, { nodeName: 'n1' }), pod)[0]).toContain(
      '\n+ spec.nodeName: "n1"\n',
    );
  });

  it('keeps the status', () => {
    const next = { ...pod, status: { phase: 'Running' } };
    expect(updated(PODS, next, pod).status).toBe(pod.status);
  });
});

describe('an update of a status', () => {
  const pod = stored();
  const write = (status: PodStatus, previous = pod): { errors: string[]; next: Pod } => {
    const sentPod = changed({ ...previous, status }, { nodeName: 'other' });
    const next = PODS.strategy.prepareForStatusUpdate?.(sentPod, previous) as Pod;
    const errors = PODS.strategy.validateStatusUpdate?.(next, previous) ?? [];
    return { errors: errors.map(({ field, message }) => `${field}: ${message}`), next };
  };

  it('takes only the status, and keeps the QoS class', () => {
    const { errors, next } = write({ phase: 'Running' });
    expect(errors).toEqual([]);
    expect(next.spec).toBe(pod.spec);
    expect(next.status).toEqual({ phase: 'Running', qosClass: 'BestEffort' });
  });

  it('changes no QoS class', () => {
    expect(write({ qosClass: 'Guaranteed' }).errors).toEqual([
      'status.qosClass: Invalid value: "Guaranteed": field is immutable',
    ]);
  });

  it('revives no container that must not restart', () => {
    const status = { name: 'a', image: '', imageID: '', ready: false, restartCount: 0 };
    const never = stored({ restartPolicy: 'Never' });
    const ended = {
      ...never,
      status: {
        ...never.status,
        containerStatuses: [{ ...status, state: { terminated: { exitCode: 0 } } }],
      },
    };
    expect(
      write({ containerStatuses: [{ ...status, state: { running: {} } }] }, ended).errors,
    ).toEqual([
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ]);
  });
});

describe('the grace of a deletion', () => {
  const grace = PODS.strategy.gracePeriodSeconds;
  const pod = (spec: object, phase = 'Running'): Pod => ({ ...stored(spec), status: { phase } });

  it.each([
    ['not scheduled', pod({}), undefined, 0],
    ['running', pod({ nodeName: 'n' }), undefined, 30],
    ['asked for 5', pod({ nodeName: 'n' }), 5, 5],
    ['asked for 0', pod({ nodeName: 'n' }), 0, 0],
    ['asked for -1', pod({ nodeName: 'n' }), -1, 1],
    ['ended', pod({ nodeName: 'n' }, 'Failed'), 5, 0],
  ])('of a pod that is %s', (_what, object, requested, seconds) => {
    expect(grace?.(object, requested)).toBe(seconds);
  });
});
