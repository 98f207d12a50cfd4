import { describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec, Volume } from '../schema/kubernetes-types.ts';
import { PODS } from './pod.ts';
import { createErrors, sent } from './writes-for-tests.ts';

const errors = (spec: object): string[] =>
  createErrors(PODS, sent<Pod>({ spec: { containers: [{ name: 'a', image: 'b' }], ...spec } }));
const ofContainer = (fields: Partial<Container> | object): string[] =>
  errors({ containers: [{ name: 'a', image: 'b', ...fields }] }).map((error) =>
    error.replace('spec.containers[0].', ''),
  );
const ofVolume = (fields: Partial<Volume> | object): string[] =>
  errors({ volumes: [{ name: 'v', ...fields }] }).map((error) =>
    error.replace('spec.volumes[0].', ''),
  );

describe('a pod', () => {
  it('needs containers', () => {
    expect(errors({ containers: [] })).toEqual(['spec.containers: Required value']);
    expect(createErrors(PODS, sent<Pod>({}))).toEqual(['spec.containers: Required value']);
  });

  it.each<[string, Partial<PodSpec> | object, string]>([
    [
      'restart policy',
      { restartPolicy: 'Sometimes' },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      'DNS policy',
      { dnsPolicy: 'X' },
      'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
    [
      'DNS without servers',
      { dnsPolicy: 'None' },
      'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
    ],
    [
      'node name',
      { nodeName: 'A' },
      'spec.nodeName: Invalid value: "A": a lowercase RFC 1123 subdomain',
    ],
    [
      'deadline',
      { activeDeadlineSeconds: 0 },
      'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
    ],
    [
      'host name',
      { hostname: 'a.b' },
      'spec.hostname: Invalid value: "a.b": must not contain dots',
    ],
    [
      'host alias',
      { hostAliases: [{ ip: 'x' }] },
      'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      'gate twice',
      { schedulingGates: [{ name: 'a.b/c' }, { name: 'a.b/c' }] },
      'spec.schedulingGates[1]: Duplicate value: "a.b/c"',
    ],
    [
      'operating system',
      { os: { name: 'plan9' } },
      'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
    ],
    [
      'debug container',
      { ephemeralContainers: [{ name: 'd', image: 'b' }] },
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
    [
      'toleration',
      { tolerations: [{ operator: 'Equal' }] },
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
    [
      'toleration seconds',
      { tolerations: [{ key: 'a', tolerationSeconds: 3 }] },
      'spec.tolerations[0].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
    ],
    [
      'spread',
      {
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
    ],
    [
      'node affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] },
          },
        },
      },
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
    [
      'run as',
      { securityContext: { runAsUser: -1 } },
      'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
    [
      'seccomp',
      { securityContext: { seccompProfile: { type: 'X' } } },
      'spec.securityContext.seccompProfile.type: Unsupported value: "X": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
    ],
    [
      'overhead',
      { overhead: { cpu: '-1' } },
      'spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ])('with a wrong %s is refused', (_what, spec, message) => {
    const [first, ...others] = errors(spec);
    expect(first?.slice(0, message.length)).toBe(message);
    expect(others).toEqual([]);
  });
});

describe('a container', () => {
  it.each<[string, object, string]>([
    ['no name', { name: '' }, 'name: Required value'],
    ['a bad name', { name: 'A' }, 'name: Invalid value: "A": a lowercase RFC 1123 label'],
    ['no image', { image: '' }, 'image: Required value'],
    [
      'a padded image',
      { image: ' b' },
      'image: Invalid value: " b": must not have leading or trailing whitespace',
    ],
    [
      'a pull policy',
      { imagePullPolicy: 'X' },
      'imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
    ],
    [
      'a restart policy',
      { restartPolicy: 'Always' },
      'restartPolicy: Forbidden: may not be set for non-init containers',
    ],
    ['port 0', { ports: [{ containerPort: 0 }] }, 'ports[0].containerPort: Required value'],
    [
      'port 70000',
      { ports: [{ containerPort: 70_000 }] },
      'ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
    [
      'a port name twice',
      {
        ports: [
          { name: 'a', containerPort: 1 },
          { name: 'a', containerPort: 2 },
        ],
      },
      'ports[1].name: Duplicate value: "a"',
    ],
    [
      'a host port twice',
      {
        ports: [
          { containerPort: 1, hostPort: 9 },
          { containerPort: 2, hostPort: 9 },
        ],
      },
      'ports[1].hostPort: Duplicate value: "TCP//9"',
    ],
    [
      'a protocol',
      { ports: [{ containerPort: 1, protocol: 'X' }] },
      'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ],
    ['a nameless variable', { env: [{ name: '' }] }, 'env[0].name: Required value'],
    [
      'a variable from nowhere',
      { env: [{ name: 'A', valueFrom: {} }] },
      'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
    ],
    [
      'a variable with two values',
      { env: [{ name: 'A', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      'an unknown field',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] },
      'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x',
    ],
    [
      'a field of volumes',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] },
      'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name"',
    ],
    [
      'a divisor',
      {
        env: [
          { name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1k' } } },
        ],
      },
      'env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
    ],
    [
      'an empty source',
      { envFrom: [{}] },
      'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ],
    [
      'an unknown volume',
      { volumeMounts: [{ name: 'v', mountPath: '/a' }] },
      'volumeMounts[0].name: Not found: "v"',
    ],
    [
      'a request above the limit',
      { resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } },
      'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      'a negative request',
      { resources: { requests: { memory: '-1' } } },
      'resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      'a quantity',
      { resources: { requests: { memory: '1X' } } },
      'resources.requests[memory]: Invalid value: "1X": quantities must match',
    ],
    [
      'a probe without a handler',
      { livenessProbe: {} },
      'livenessProbe: Required value: must specify a handler type',
    ],
    [
      'two handlers',
      { readinessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } },
      'readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
    ],
    [
      'a negative delay',
      { readinessProbe: { exec: { command: ['a'] }, initialDelaySeconds: -1 } },
      'readinessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'a liveness threshold',
      { livenessProbe: { exec: { command: ['a'] }, successThreshold: 2 } },
      'livenessProbe.successThreshold: Invalid value: 2: must be 1',
    ],
    [
      'an empty command',
      { lifecycle: { preStop: { exec: {} } } },
      'lifecycle.preStop.exec.command: Required value',
    ],
    [
      'a long sleep',
      { lifecycle: { preStop: { sleep: { seconds: 60 } } } },
      'lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
    [
      'a contradiction',
      { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
      'securityContext: Invalid value: core.SecurityContext',
    ],
  ])('with %s is refused', (_what, fields, message) => {
    const [first, ...others] = ofContainer(fields);
    expect(first?.slice(0, message.length)).toBe(message);
    expect(others).toEqual([]);
  });

  it('with an unknown resource is refused twice', () => {
    expect(ofContainer({ resources: { limits: { gpu: '1' } } }).slice(0, 2)).toEqual([
      'resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
      'resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
    ]);
  });

  it('may not have the name of another', () => {
    const one = { name: 'a', image: 'b' };
    expect(errors({ containers: [one, one] })).toEqual([
      'spec.containers[1].name: Duplicate value: "a"',
    ]);
    expect(errors({ initContainers: [one] })).toEqual([
      'spec.initContainers[0].name: Duplicate value: "a"',
    ]);
  });

  it('that initialises has probes only as a sidecar', () => {
    const init = { name: 'i', image: 'b', startupProbe: { exec: { command: ['a'] } } };
    expect(errors({ initContainers: [init] })).toEqual([
      'spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ]);
    expect(errors({ initContainers: [{ ...init, restartPolicy: 'Always' }] })).toEqual([]);
    expect(errors({ initContainers: [{ name: 'i', image: 'b', restartPolicy: 'Never' }] })).toEqual(
      [
        'spec.initContainers[0].restartPolicy: Unsupported value: "Never": supported values: "Always"',
      ],
    );
  });

  it('mounts each path once and stays inside its volume', () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const mount = { name: 'v', mountPath: '/a' };
    const withMounts = (volumeMounts: object[]): string[] =>
      errors({ volumes, containers: [{ name: 'a', image: 'b', volumeMounts }] });
    expect(withMounts([mount])).toEqual([]);
    expect(withMounts([mount, mount])).toEqual([
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
    ]);
    expect(withMounts([{ ...mount, subPath: '../x' }])).toEqual([
      'spec.containers[0].volumeMounts.subPath: Invalid value: "../x": must not contain \'..\'',
    ]);
  });
});

describe('a volume', () => {
  it.each<[string, object, string]>([
    ['no name', { name: '', emptyDir: {} }, 'name: Required value'],
    [
      'two sources',
      { emptyDir: {}, hostPath: { path: '/a' } },
      'hostPath: Forbidden: may not specify more than 1 volume type',
    ],
    ['a hostPath without a path', { hostPath: { path: '' } }, 'hostPath.path: Required value'],
    [
      'a hostPath upwards',
      { hostPath: { path: '/a/../b' } },
      'hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
    ],
    [
      'a hostPath type',
      { hostPath: { path: '/a', type: 'X' } },
      'hostPath.type: Unsupported value: "X": supported values: "", "BlockDevice", "CharDevice"',
    ],
    ['no secret name', { secret: {} }, 'secret.secretName: Required value'],
    ['no config map name', { configMap: {} }, 'configMap.name: Required value'],
    [
      'a mode',
      { configMap: { name: 'c', defaultMode: 512 } },
      'configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
    ],
    [
      'an item without a key',
      { configMap: { name: 'c', items: [{ key: '', path: 'a' }] } },
      'configMap.items[0].key: Required value',
    ],
    [
      'an absolute item',
      { secret: { secretName: 's', items: [{ key: 'k', path: '/a' }] } },
      'secret.items[0].path: Invalid value: "/a": must be a relative path',
    ],
    [
      'a size',
      { emptyDir: { sizeLimit: '-1' } },
      'emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity',
    ],
    ['no claim', { persistentVolumeClaim: {} }, 'persistentVolumeClaim.claimName: Required value'],
    [
      'a downward file of nothing',
      { downwardAPI: { items: [{ path: 'a' }] } },
      'downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
    ],
    [
      'files that collide',
      {
        projected: {
          sources: [
            { secret: { name: 's', items: [{ key: 'k', path: 'p' }] } },
            { configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
          ],
        },
      },
      'projected: Invalid value: "c": conflicting duplicate paths',
    ],
  ])('with %s is refused', (_what, fields, message) => {
    const [first, ...others] = ofVolume(fields);
    expect(first?.slice(0, message.length)).toBe(message);
    expect(others).toEqual([]);
  });

  it('has a name of its own', () => {
    const one = { name: 'v', emptyDir: {} };
    expect(errors({ volumes: [one, one] })).toEqual(['spec.volumes[1].name: Duplicate value: "v"']);
  });
});
