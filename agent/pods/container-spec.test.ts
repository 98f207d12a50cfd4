import { afterEach, describe, expect, it } from 'vitest';
import { podQosClass } from '../../shared/resources/pod-resources.ts';
import type { Container, PodSpec } from '../../shared/schema/kubernetes-types.ts';
import type { ServiceDocument } from '../../shared/wire/network-documents.ts';
import { containerLimits } from './container-limits.ts';
import { type ContainerParts, containerSpec } from './container-spec.ts';
import { expandVariables } from './expand-variables.ts';
import { container, pod } from './testing/pod-bench.ts';

const configMaps: Record<string, Record<string, string>> = {
  'default/hosts': { HOST: '10.0.0.9' },
  'default/cfg': { greeting: 'hello', 'other.key': 'x' },
};
const secrets: Record<string, Record<string, string>> = {
  'default/sec': { password: Buffer.from('hidden').toString('base64') },
};

/** What the node knows of services: none, unless a test says otherwise. */
let services: ServiceDocument[] | undefined = [];
afterEach(() => {
  services = [];
});

function serviceAt(name: string, clusterIP: string): ServiceDocument {
  const metadata = { name, namespace: 'default', uid: name };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP, ports: [{ port: 80 }] },
  };
}

function specOf(own: Partial<Container>, spec: Partial<PodSpec> = {}, imageUser = '') {
  const web = container('web', own);
  const one = pod(
    'p',
    { ...spec, containers: [web] },
    { labels: { app: 'a' }, annotations: { 'x/y': 'z' } },
  );
  const parts: ContainerParts = {
    agentId: 'a1',
    pod: one,
    container: web,
    attempt: 2,
    sandboxAttempt: 1,
    sandbox: {
      podUid: 'uid-p',
      ip: '10.42.0.2',
      hostIp: '192.0.2.1',
      namespaces: { network: '/n', ipc: '/i', uts: '/u' },
      hostname: 'p',
    },
    image: 'docker.io/library/app:1',
    imageConfig: {
      imageId: 'id',
      entrypoint: [],
      cmd: [],
      env: [],
      user: imageUser,
      workingDir: '',
      stopSignal: '',
    },
    mounts: [],
    logPath: '/logs/2.log',
    sources: {
      configMap: (namespace, name) => configMaps[`${namespace}/${name}`],
      configMapBinary: () => undefined,
      secret: (namespace, name) => secrets[`${namespace}/${name}`],
      services: () => services,
    },
    nodeName: 'node1',
    memoryCapacityBytes: 1 << 30,
    allocatable: { cpuMilli: 2000, memoryBytes: 1 << 30 },
  };
  return containerSpec(parts);
}

function envOf(own: Partial<Container>): Record<string, string> {
  return Object.fromEntries(specOf(own).env.map(({ name, value }) => [name, value]));
}

describe('expandVariables', () => {
  it('replaces what is known, keeps what is not, and halves doubled dollars', () => {
    const value = (name: string) => ({ A: '1', EMPTY: '' })[name];
    const expand = (text: string) => expandVariables(text, value);
    expect(expand('$(A)-$(B)-$(EMPTY)')).toBe('1-$(B)-');
    expect(expand('$$(A) $$ $A $( $')).toBe('$(A) $ $A $( $');
    expect(expand('$$$(A)')).toBe('$1');
  });
});

describe('containerSpec', () => {
  it('names and labels the container for its adoption', () => {
    const spec = specOf({});
    expect(spec.name).toBe('skerry-a1-uid-p-web-2');
    expect(spec.cgroupParent).toBe('/skerry-a1/poduid-p');
    expect(spec.labels).toEqual({
      'io.kubernetes.pod.name': 'p',
      'io.kubernetes.pod.namespace': 'default',
      'io.kubernetes.pod.uid': 'uid-p',
      'io.kubernetes.container.name': 'web',
      'skerry.dev/attempt': '2',
      'skerry.dev/sandbox': '1',
      'skerry.dev/spec-image': 'app:1',
      'skerry.dev/grace-seconds': '30',
    });
  });

  it('tells how long it may take to end', () => {
    const label = (spec: Partial<PodSpec>) => specOf({}, spec).labels['skerry.dev/grace-seconds'];
    expect(label({ terminationGracePeriodSeconds: 3 })).toBe('3');
    expect(label({})).toBe('30');
  });

  it('takes the IPC namespace of the pod, or the host’s for a pod that wants it', () => {
    expect(specOf({}).namespaces).toEqual({ network: '/n', ipc: '/i', uts: '/u' });
    expect(specOf({}, { hostIPC: true }).namespaces).toEqual({
      network: '/n',
      ipc: 'host',
      uts: '/u',
    });
  });

  it('fills the environment from values, sources and fields, in order', () => {
    const from = (fieldPath: string) => ({ fieldRef: { fieldPath } });
    expect(
      envOf({
        envFrom: [{ prefix: 'C_', configMapRef: { name: 'cfg' } }, { secretRef: { name: 'sec' } }],
        env: [
          { name: 'PLAIN', value: 'v' },
          { name: 'EXPANDED', value: '$(PLAIN)/$(C_greeting)/$(LATER)' },
          { name: 'LATER', value: '1' },
          { name: 'password', value: 'overridden' },
          { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'greeting' } } },
          { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'sec', key: 'password' } } },
          { name: 'GONE', valueFrom: { secretKeyRef: { name: 'no', key: 'k', optional: true } } },
          { name: 'IP', valueFrom: from('status.podIP') },
          { name: 'HOST', valueFrom: from('status.hostIP') },
          { name: 'NODE', valueFrom: from('spec.nodeName') },
          { name: 'LABEL', valueFrom: from("metadata.labels['app']") },
          { name: 'NOTE', valueFrom: from("metadata.annotations['x/y']") },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          {
            name: 'MEM',
            valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '1Mi' } },
          },
        ],
        resources: { requests: { memory: '64Mi' } },
      }),
    ).toEqual({
      HOSTNAME: 'p',
      C_greeting: 'hello',
      'C_other.key': 'x',
      password: 'overridden',
      PLAIN: 'v',
      EXPANDED: 'v/hello/$(LATER)',
      LATER: '1',
      KEY: 'hello',
      SECRET: 'hidden',
      IP: '10.42.0.2',
      HOST: '192.0.2.1',
      NODE: 'node1',
      LABEL: 'a',
      NOTE: 'z',
      CPU: '2',
      MEM: '64',
    });
  });

  it('knows services beneath envFrom and env, which may refer to them', () => {
    services = [serviceAt('web', '10.43.0.5'), serviceAt('kubernetes', '10.43.0.1')];
    const spec = specOf({
      env: [
        { name: 'URL', value: 'http://$(WEB_SERVICE_HOST)/' },
        { name: 'WEB_PORT', value: 'mine' },
      ],
      envFrom: [{ prefix: 'KUBERNETES_SERVICE_', configMapRef: { name: 'hosts' } }],
      args: ['$(KUBERNETES_SERVICE_HOST)', '$(WEB_SERVICE_PORT)'],
    });
    expect(spec.args).toEqual(['10.0.0.9', '80']);
    const environment = Object.fromEntries(spec.env.map(({ name, value }) => [name, value]));
    expect(environment).toMatchObject({ URL: 'http://10.43.0.5/', WEB_PORT: 'mine' });
    const unlinked = specOf({}, { enableServiceLinks: false }).env.map(({ name }) => name);
    expect(unlinked).toContain('KUBERNETES_SERVICE_HOST');
    expect(unlinked.filter((name) => name.startsWith('WEB'))).toEqual([]);
  });

  it('cannot make an environment before the first services have come', () => {
    services = undefined;
    expect(() => specOf({})).toThrow(
      'services have not yet been read at least once, cannot construct envvars',
    );
  });

  it('says which source of the environment is missing', () => {
    const failure = (own: Partial<Container>) => {
      try {
        specOf(own);
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(failure({ envFrom: [{ secretRef: { name: 'no' } }] })).toBe('secret "no" not found');
    expect(failure({ envFrom: [{ configMapRef: { name: 'no', optional: true } }] })).toBe('none');
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'sec', key: 'k' } } }];
    expect(failure({ env })).toBe("couldn't find key k in Secret default/sec");
    const inherited = { secretKeyRef: { name: 'sec', key: 'constructor' } };
    expect(failure({ env: [{ name: 'A', valueFrom: inherited }] })).toBe(
      "couldn't find key constructor in Secret default/sec",
    );
  });

  it('expands command and arguments', () => {
    const spec = specOf({
      command: ['run', '$(A)'],
      args: ['$(B)'],
      env: [{ name: 'A', value: 'x' }],
    });
    expect(spec.command).toEqual(['run', 'x']);
    expect(spec.args).toEqual(['$(B)']);
    expect(specOf({ command: [] })).not.toHaveProperty('command');
  });

  it("takes the container's security context before the pod's", () => {
    const spec = specOf(
      { securityContext: { runAsUser: 5, capabilities: { drop: ['ALL'] } } },
      { securityContext: { runAsUser: 7, runAsGroup: 8, fsGroup: 9, supplementalGroups: [10] } },
    );
    expect(spec.security).toEqual({
      privileged: false,
      readOnlyRootFilesystem: false,
      user: '5:8',
      addCapabilities: [],
      dropCapabilities: ['ALL'],
      allowPrivilegeEscalation: true,
      supplementalGroups: [10, 9],
    });
  });

  it('refuses root where the pod forbids it', () => {
    const securityContext = { runAsNonRoot: true };
    expect(() => specOf({ securityContext })).toThrow(
      'container has runAsNonRoot and image will run as root (pod: "p_default(uid-p)", container: web)',
    );
    expect(() => specOf({ securityContext }, {}, 'nginx')).toThrow(
      'container has runAsNonRoot and image has non-numeric user (nginx), cannot verify user is non-root',
    );
    expect(() => specOf({ securityContext: { ...securityContext, runAsUser: 0 } })).toThrow(
      "container's runAsUser breaks non-root policy",
    );
    expect(() => specOf({ securityContext }, {}, '1000:1000')).not.toThrow();
  });
});

describe('containerLimits', () => {
  const limitsOf = (resources: Container['resources']) => {
    const web = container('web', resources === undefined ? {} : { resources });
    const one = pod('p', { containers: [web] });
    return { qos: podQosClass(one.spec), ...containerLimits(one, web, 1 << 30) };
  };

  it('are those of the kubelet, for each class of service', () => {
    expect(limitsOf(undefined)).toEqual({ qos: 'BestEffort', cpuShares: 2, oomScoreAdj: 1000 });
    expect(limitsOf({ requests: { cpu: '100m', memory: '256Mi' } })).toEqual({
      qos: 'Burstable',
      cpuShares: 102,
      oomScoreAdj: 750,
    });
    expect(limitsOf({ limits: { cpu: '500m', memory: '64Mi' } })).toEqual({
      qos: 'Guaranteed',
      cpuShares: 512,
      cpuQuotaMicroseconds: 50_000,
      memoryBytes: 64 << 20,
      oomScoreAdj: -997,
    });
    expect(limitsOf({ limits: { cpu: '1m' } })).toMatchObject({
      cpuShares: 2,
      cpuQuotaMicroseconds: 1000,
      oomScoreAdj: 999,
    });
  });
});
