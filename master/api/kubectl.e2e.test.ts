import { execFile, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { accessSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONFIG_MAPS } from '../../shared/resources/config-map.ts';
import type { ConfigMap } from '../../shared/schema/kubernetes-types.ts';
import { builtCertificateChild } from '../../test/builders/certificate-child.ts';
import { Listener } from '../listener.ts';
import { adminKubeconfig } from '../pki/admin-kubeconfig.ts';
import { CertificateAuthority } from '../pki/certificate-authority.ts';
import { CertificateChild } from '../pki/certificate-child.ts';
import { servingNames } from '../pki/serving-names.ts';
import { SystemClock } from '../system-clock.ts';
import { type ApiFixture, apiFixture } from './api-fixture.ts';
import { OpenApiDocuments } from './output/openapi-documents.ts';
import { writeOpenApiDocuments } from './output/write-openapi-documents.ts';

/** Real kubectl, every version that the machine has, over TLS with certificates of the cluster's own authority. */

let root: string;
let fixture: ApiFixture;
let listener: Listener;
let authority: CertificateAuthority;
/** Each request's path and query, after it was handed to the API. */
const requests = new EventEmitter();

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'skerry-kubectl-'));
  await writeOpenApiDocuments(join(root, 'openapi'));
  const clock = new SystemClock();
  authority = new CertificateAuthority({
    folder: join(root, 'pki'),
    child: new CertificateChild(builtCertificateChild()),
    clock,
  });
  await authority.open(
    servingNames({
      advertised: ['127.0.0.1'],
      serviceAddress: '10.43.0.1',
      machine: { dnsNames: [], addresses: [] },
    }),
  );
  fixture = await apiFixture({
    clock,
    caPem: authority.ca,
    openApi: new OpenApiDocuments(join(root, 'openapi')),
  });
  const { certificate, privateKey } = authority.serving;
  listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    certificate: { key: privateKey, cert: certificate },
    clientCa: authority.ca,
    onRequest: (req, res) => {
      fixture.api.handle(req, res);
      requests.emit('request', req.url ?? '');
    },
    onMqtt: (connection) => connection.destroy(),
    log: { debug() {}, info() {}, warn() {}, error() {}, child: () => undefined as never },
  });
  await listener.start();
  writeFileSync(
    join(root, 'kubeconfig'),
    adminKubeconfig({
      server: `https://127.0.0.1:${listener.port}`,
      ca: authority.ca,
      certificate: authority.admin.certificate,
      privateKey: authority.admin.privateKey,
    }),
  );
});

afterAll(async () => {
  await listener?.stop();
  await fixture?.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

function run(binary: string, args: readonly string[], stdin = ''): Promise<Result> {
  const env = {
    PATH: process.env['PATH'],
    HOME: join(root, `home-${binary.replaceAll('/', '_')}`),
    KUBECONFIG: join(root, 'kubeconfig'),
  };
  return new Promise((resolve) => {
    const child = execFile(binary, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
    child.stdin?.end(stdin);
  });
}

/** Every kubectl of the machine, by version: those beside the one on PATH, Debian's, or just the one. */
function binaries(): { version: string; path: string }[] {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .find((path) => existsSync(path));
  if (onPath === undefined) return [];
  const beside = dirname(realpathSync(onPath));
  const found = ['1.27', '1.28', '1.30', '1.33']
    .map((version) => ({ version, path: join(beside, `kubectl.${version}`) }))
    .filter(({ path }) => isExecutable(path));
  const debian = { version: '1.20', path: '/opt/kubectl-1.20/usr/bin/kubectl' };
  if (isExecutable(debian.path)) found.unshift(debian);
  return found.length === 0 ? [{ version: 'on PATH', path: onPath }] : found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, 1);
    return true;
  } catch {
    return false;
  }
}

const MANIFEST = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: a, image: nginx, ports: [{containerPort: 80}]}
      - {name: b, image: busybox, command: [sleep, "1"]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: red}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
  - {name: a, image: nginx}
  - {name: b, image: busybox}
`;

describe.each(binaries())('kubectl $version', ({ version, path }) => {
  const namespace = `v${version.replaceAll(/[^0-9]/g, '')}`;
  const raw = (...args: string[]) => run(path, args);
  /** In the namespace of this version; fails the test when kubectl fails. */
  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await run(path, ['-n', namespace, ...args]);
    expect({ args, ...result }).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const applied = async (manifest: string): Promise<string> => {
    const result = await run(path, ['-n', namespace, 'apply', '-f', '-'], manifest);
    expect(result).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const refused = async (...args: string[]): Promise<string> => {
    const result = await run(path, ['-n', namespace, ...args]);
    expect({ args, ...result }).toMatchObject({ code: 1 });
    return result.stderr;
  };
  const refusedManifest = async (manifest: string): Promise<string> => {
    const result = await run(path, ['-n', namespace, 'create', '-f', '-'], manifest);
    expect(result).toMatchObject({ code: 1 });
    return result.stderr;
  };

  beforeAll(async () => {
    const result = await raw('create', 'namespace', namespace);
    expect(result).toMatchObject({ code: 0, stdout: `namespace/${namespace} created\n` });
  });

  test('creates, gets and deletes', async () => {
    expect(await kubectl('create', 'configmap', 'a', '--from-literal=x=y')).toBe(
      'configmap/a created\n',
    );
    await kubectl('create', 'secret', 'generic', 's', '--from-literal=p=q');
    expect(await kubectl('get', 'secret', 's', '-o', 'jsonpath={.data.p}')).toBe('cQ==');
    expect(await kubectl('get', 'cm', '-o', 'name')).toBe('configmap/a\n');
    expect(await kubectl('get', 'cm', 'a', '-o', 'yaml')).toContain('data:\n  x: "y"\n');
    expect(await kubectl('get', 'cm', '-o', 'wide')).toMatch(/^NAME +.*AGE\na +/);
    expect(await kubectl('delete', 'cm', 'a')).toContain('configmap "a" deleted');
    expect(await refused('get', 'cm', 'a')).toBe(
      'Error from server (NotFound): configmaps "a" not found\n',
    );
  });

  test('applies, and applies a change', async () => {
    expect(await applied(MANIFEST)).toContain('deployment.apps/web created');
    expect(await applied(MANIFEST)).toContain('deployment.apps/web unchanged');
    expect(await applied(MANIFEST.replace('red', 'blue'))).toContain(
      'configmap/settings configured',
    );
    const shrunk = MANIFEST.replace(/ {6}- \{name: b.*sleep.*\n/, '');
    expect(await applied(shrunk)).toContain('deployment.apps/web configured');
    const names = '-o=jsonpath={.spec.template.spec.containers[*].name}';
    expect(await kubectl('get', 'deploy', 'web', names)).toBe('a');
    expect(await applied(MANIFEST)).toContain('deployment.apps/web configured');
  });

  test('labels, annotates, scales, patches, replaces', async () => {
    await kubectl('label', 'deploy', 'web', 'tier=front');
    await kubectl('annotate', 'deploy', 'web', 'note=x');
    await kubectl('scale', 'deploy', 'web', '--replicas=5');
    await kubectl('set', 'image', 'deploy/web', 'a=nginx:2');
    await kubectl('patch', 'deploy', 'web', '-p', '{"spec":{"paused":true}}');
    await kubectl('patch', 'deploy', 'web', '--type=merge', '-p', '{"spec":{"minReadySeconds":3}}');
    await kubectl(
      'patch',
      'deploy',
      'web',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/revisionHistoryLimit","value":7}]',
    );
    const deployment = JSON.parse(await kubectl('get', 'deploy', 'web', '-o', 'json'));
    expect(deployment).toMatchObject({
      metadata: { labels: { tier: 'front' }, annotations: { note: 'x' } },
      spec: { replicas: 5, paused: true, minReadySeconds: 3, revisionHistoryLimit: 7 },
    });
    expect(deployment.spec.template.spec.containers.map((c: { image: string }) => c.image)).toEqual(
      ['nginx:2', 'busybox'],
    );
    const config = await kubectl('get', 'cm', 'settings', '-o', 'yaml');
    const replaced = await run(
      path,
      ['-n', namespace, 'replace', '-f', '-'],
      config.replace(/color: \w+/, 'color: green'),
    );
    expect(replaced.stdout).toBe('configmap/settings replaced\n');
    const stale = await run(path, ['-n', namespace, 'replace', '-f', '-'], config);
    expect(stale.stderr).toContain('the object has been modified; please apply your changes');
  });

  test('edits', async () => {
    writeFileSync(join(root, 'editor'), '#!/bin/sh\nsed -i "s/green/yellow/" "$1"\n', {
      mode: 0o755,
    });
    const result = await run('/bin/sh', [
      '-c',
      `KUBE_EDITOR=${join(root, 'editor')} HOME=${root} ${path} -n ${namespace} edit cm settings`,
    ]);
    expect(result).toMatchObject({ code: 0 });
    expect(await kubectl('get', 'cm', 'settings', '-o', 'jsonpath={.data.color}')).toBe('yellow');
  });

  test('waits and watches', async () => {
    await kubectl('create', 'cm', 'soon');
    const watching = requested(/configmaps\?.*name%3Dsoon.*watch=true/);
    const gone = kubectl('wait', '--for=delete', 'cm/soon', '--timeout=30s');
    await watching;
    await kubectl('delete', 'cm', 'soon', '--wait=false');
    await gone;
    const lines = await watched(path, ['-n', namespace, 'get', 'cm', '-w'], async (line) => {
      if (line.startsWith('settings')) await kubectl('create', 'cm', 'seen');
      return line.startsWith('seen');
    });
    expect(lines[0]).toMatch(/^NAME +/);
    await kubectl('delete', 'cm', 'seen');
  });

  test('lists in chunks', async () => {
    for (let index = 0; index < 7; index += 1) {
      await fixture.registry.create(CONFIG_MAPS, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `chunk-${index}`, namespace, labels: { chunk: 'yes' } },
      } as unknown as ConfigMap);
    }
    const names = await kubectl('get', 'cm', '-l', 'chunk', '--chunk-size=3', '-o', 'name');
    expect(names.trim().split('\n')).toHaveLength(7);
    const table = await kubectl('get', 'cm', '-l', 'chunk', '--chunk-size=2', '--no-headers');
    expect(table.trim().split('\n')).toHaveLength(7);
    await kubectl('delete', 'cm', '-l', 'chunk');
    expect(await kubectl('get', 'cm', '-l', 'chunk', '-o', 'name')).toBe('');
  });

  test('explains and lists what there is', async () => {
    expect(await kubectl('explain', 'deployment.spec.replicas')).toMatch(/replicas.*<integer>/s);
    const resources = await kubectl('api-resources');
    expect(resources).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await kubectl('api-versions')).toContain('coordination.k8s.io/v1\n');
    expect((await raw('version', '-o', 'json')).stdout).toContain('"v1.33.13+skerry.0.1.0"');
    expect((await raw('get', '--raw', '/readyz')).stdout).toBe('ok');
    expect((await raw('describe', 'namespace', namespace)).stdout).toContain('Status:');
  });

  test('says that server-side apply is not there yet', async () => {
    const result = await run(
      path,
      ['-n', namespace, 'apply', '--server-side', '-f', '-'],
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\n',
    );
    expect(result).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/server-side apply/i),
    });
  });

  test('dry runs on the server and diffs', async () => {
    await kubectl('create', 'cm', 'dry', '--dry-run=server');
    expect(await refused('get', 'cm', 'dry')).toContain('not found');
    const changed = MANIFEST.replace(/color: \w+/, 'color: violet');
    const diff = await run(path, ['-n', namespace, 'diff', '-f', '-'], changed);
    expect(diff).toMatchObject({ code: 1, stdout: expect.stringContaining('violet') });
  });

  test('prints the errors of Kubernetes', async () => {
    expect(await refused('create', 'ns', namespace)).toContain(
      `namespaces "${namespace}" already exists`,
    );
    expect(await refused('create', 'cm', 'settings')).toContain(
      'configmaps "settings" already exists',
    );
    expect(await refused('get', 'pods', '--field-selector=foo=bar')).toContain(
      'field label not supported: foo',
    );
    expect(await refused('logs', 'two', '-c', 'zz')).toMatch(
      /container zz is not valid for pod two/,
    );
    const unknown = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q}\ndta: {}\n';
    expect(await refusedManifest(unknown)).toMatch(/unknown field "dta"/);
    const type = MANIFEST.split('---')[0]?.replace('name: web}', 'name: bad}') ?? '';
    expect(await refusedManifest(type.replace('replicas: 2', 'replicas: two'))).toMatch(
      /replicas|invalid type/,
    );
    const quantity = `apiVersion: v1
kind: Pod
metadata: {name: q}
spec:
  containers: [{name: a, image: nginx, resources: {limits: {memory: 1Zz}}}]
`;
    expect(await refusedManifest(quantity)).toContain(
      'quantities must match the regular expression',
    );
    const nameless = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}\n';
    expect(await refusedManifest(nameless)).toMatch(/name|resource name may not be empty/);
  });

  test('deletes a pod with its grace, and by force', async () => {
    expect(await kubectl('get', 'pod', 'two')).toMatch(/two +0\/2 +Pending/);
    await kubectl('delete', 'pod', 'two', '--force', '--grace-period=0');
    expect(await refused('get', 'pod', 'two')).toContain('pods "two" not found');
  });

  test('deletes what a manifest names', async () => {
    await applied(MANIFEST);
    const result = await run(
      path,
      ['-n', namespace, 'delete', '--grace-period=0', '--force', '-f', '-'],
      MANIFEST,
    );
    expect(result).toMatchObject({ code: 0 });
    expect(await kubectl('get', 'deploy,svc,cm', '-o', 'name')).toBe('');
  });
});

/** Resolves at the next request that matches. */
function requested(pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    const look = (url: string) => {
      if (!pattern.test(url)) return;
      requests.off('request', look);
      resolve();
    };
    requests.on('request', look);
  });
}

/** Runs until `seen` says so of a line of output, and ends it. */
async function watched(
  binary: string,
  args: readonly string[],
  seen: (line: string) => Promise<boolean>,
): Promise<string[]> {
  const child = spawn(binary, args, {
    env: { HOME: join(root, 'home-watch'), KUBECONFIG: join(root, 'kubeconfig') },
  });
  const lines: string[] = [];
  let rest = '';
  try {
    for await (const chunk of child.stdout) {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (await seen(line)) return lines;
      }
    }
  } finally {
    child.kill();
  }
  throw new Error(`the watch ended: ${lines.join('\n')}`);
}

test('without a certificate of this cluster only the open paths answer', async () => {
  const other = new CertificateAuthority({
    folder: join(root, 'other-pki'),
    child: new CertificateChild(builtCertificateChild()),
    clock: new SystemClock(),
  });
  await other.open(
    servingNames({
      advertised: ['127.0.0.1'],
      serviceAddress: '10.43.0.1',
      machine: { dnsNames: [], addresses: [] },
    }),
  );
  for (const credentials of [{}, { cert: other.admin.certificate, key: other.admin.privateKey }]) {
    expect(await fetched('/api/v1/pods', credentials)).toMatchObject({
      code: 401,
      body: expect.stringContaining('"reason":"Unauthorized"'),
    });
    expect((await fetched('/healthz', credentials)).code).toBe(200);
    expect(await fetched('/skerry/v1/ca', credentials)).toEqual({ code: 200, body: authority.ca });
  }
});

function fetched(
  path: string,
  credentials: { cert?: string; key?: string },
): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { port: listener.port, path, ca: authority.ca, agent: false, ...credentials };
    get({ host: '127.0.0.1', ...options }, (res) => {
      let body = '';
      res.on('data', (chunk) => {
        body += String(chunk);
      });
      res.on('end', () => resolve({ code: res.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

test('no request failed in an unexpected way', () => {
  expect(fixture.logs).toEqual([]);
});
