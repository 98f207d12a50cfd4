import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiError } from '../../../shared/errors.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import type { ContainerStatus, Pod } from '../../../shared/schema/kubernetes-types.ts';
import { type ApiFixture, apiFixture, listenPlain } from '../api-fixture.ts';
import type { LogRequest, NodeStreams } from '../node-streams.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = { [key: string]: any };

let fixture: ApiFixture;
let base: string;
let logs: NodeStreams['logs'];

beforeEach(async () => {
  fixture = await apiFixture({
    nodeStreams: { logs: (node, request, signal) => logs(node, request, signal) },
  });
  base = await listenPlain(fixture);
});

afterEach(() => fixture.stop());

async function call(
  method: string,
  path: string,
  body?: unknown,
  contentType = 'application/json',
): Promise<{ code: number; body: Json }> {
  const answer = await fetch(`${base}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'Content-Type': contentType } }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  return { code: answer.status, body: isJson ? JSON.parse(text) : { text } };
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const POD_PATH = '/api/v1/namespaces/default/pods';
const MERGE = 'application/merge-patch+json';

function pod(name: string, containers: string[] = ['a'], more: Json = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: containers.map((each) => ({ name: each, image: 'nginx' })), ...more },
  };
}

describe('scale', () => {
  beforeEach(async () => {
    const labels = { app: 'web' };
    await call('POST', DEPLOYMENTS, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod('x')['spec'] },
      },
    });
  });

  test('shows and sets the replicas of the object', async () => {
    const { code, body } = await call('GET', `${DEPLOYMENTS}/web/scale`);
    expect(code).toBe(200);
    expect(body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 2 },
      status: { selector: 'app=web' },
    });
    const put = await call('PUT', `${DEPLOYMENTS}/web/scale`, { ...body, spec: { replicas: 5 } });
    expect([put.code, put.body['spec']]).toEqual([200, { replicas: 5 }]);
    const patched = await call(
      'PATCH',
      `${DEPLOYMENTS}/web/scale`,
      { spec: { replicas: 0 } },
      MERGE,
    );
    expect(patched.code).toBe(200);
    expect((await call('GET', `${DEPLOYMENTS}/web`)).body['spec'].replicas).toBe(0);
  });

  test('a stale version is 409, a negative number 422, another object 404', async () => {
    const { body } = await call('GET', `${DEPLOYMENTS}/web/scale`);
    await call('PATCH', `${DEPLOYMENTS}/web`, { spec: { replicas: 3 } }, MERGE);
    const stale = await call('PUT', `${DEPLOYMENTS}/web/scale`, body);
    expect([stale.code, stale.body['message']]).toEqual([
      409,
      'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    ]);
    const negative = await call(
      'PATCH',
      `${DEPLOYMENTS}/web/scale`,
      { spec: { replicas: -1 } },
      MERGE,
    );
    expect([negative.code, negative.body['message']]).toEqual([
      422,
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ]);
    expect((await call('GET', `${DEPLOYMENTS}/other/scale`)).code).toBe(404);
    const uid = await call('PATCH', `${DEPLOYMENTS}/web/scale`, { metadata: { uid: 'x' } }, MERGE);
    expect([uid.code, uid.body['details']]).toEqual([
      409,
      { name: 'web', group: 'apps', kind: 'deployments/scale' },
    ]);
    const named = { metadata: { name: 'x' } };
    expect((await call('PATCH', `${DEPLOYMENTS}/web/scale`, named, MERGE)).code).toBe(400);
  });

  test('a dry run changes nothing', async () => {
    const patch = { spec: { replicas: 9 } };
    const { body } = await call('PATCH', `${DEPLOYMENTS}/web/scale?dryRun=All`, patch, MERGE);
    expect(body['spec'].replicas).toBe(9);
    expect((await call('GET', `${DEPLOYMENTS}/web`)).body['spec'].replicas).toBe(2);
  });
});

describe('status', () => {
  test('is written alone; the object without it', async () => {
    const { body } = await call('POST', POD_PATH, pod('p'));
    const status = { phase: 'Running', podIP: '10.42.0.5', podIPs: [{ ip: '10.42.0.5' }] };
    const put = await call('PUT', `${POD_PATH}/p/status`, {
      ...body,
      metadata: { ...body['metadata'], labels: { a: 'b' } },
      status: { ...body['status'], ...status },
    });
    expect([put.code, put.body['status']]).toMatchObject([200, status]);
    const patched = await call(
      'PATCH',
      `${POD_PATH}/p`,
      { status: { phase: 'Failed' }, metadata: { labels: { c: 'd' } } },
      MERGE,
    );
    expect(patched.body['status'].phase).toBe('Running');
    const byPatch = await call(
      'PATCH',
      `${POD_PATH}/p/status`,
      { status: { phase: 'Failed' } },
      MERGE,
    );
    expect([byPatch.code, byPatch.body['status'].phase]).toEqual([200, 'Failed']);
    expect((await call('GET', `${POD_PATH}/p/status`)).body['kind']).toBe('Pod');
  });
});

describe('binding', () => {
  const binding = (target: Json = { kind: 'Node', name: 'n1' }): Json => ({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'p' },
    target,
  });

  test('gives a pod its node, once', async () => {
    await call('POST', POD_PATH, pod('p'));
    const first = await call('POST', `${POD_PATH}/p/binding`, binding());
    expect([first.code, first.body['status']]).toEqual([201, 'Success']);
    const bound = (await call('GET', `${POD_PATH}/p`)).body;
    expect(bound['spec'].nodeName).toBe('n1');
    expect(bound['status'].conditions).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
    );
    const again = await call('POST', `${POD_PATH}/p/binding`, binding());
    expect([again.code, again.body['message']]).toEqual([
      409,
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
    ]);
  });

  test('needs a node as its target', async () => {
    await call('POST', POD_PATH, pod('p'));
    const { code, body } = await call('POST', `${POD_PATH}/p/binding`, binding({ kind: 'Minion' }));
    expect([code, body['message']]).toEqual([
      422,
      'Binding "p" is invalid: [target.kind: Unsupported value: "Minion": supported values: "Node", "<empty>", target.name: Required value]',
    ]);
  });
});

describe('eviction', () => {
  test('deletes the pod, unless it is a dry run', async () => {
    await call('POST', POD_PATH, pod('p'));
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } };
    const dry = { ...eviction, deleteOptions: { dryRun: ['All'] } };
    expect((await call('POST', `${POD_PATH}/p/eviction`, dry)).code).toBe(201);
    expect((await call('GET', `${POD_PATH}/p`)).code).toBe(200);
    const { code, body } = await call('POST', `${POD_PATH}/p/eviction`, eviction);
    expect([code, body['status']]).toEqual([201, 'Success']);
    expect((await call('GET', `${POD_PATH}/p`)).code).toBe(404);
    expect((await call('POST', `${POD_PATH}/p/eviction`, eviction)).code).toBe(404);
  });
});

describe('finalize', () => {
  test('a namespace that is being deleted goes with its last finalizer', async () => {
    const namespaces = '/api/v1/namespaces';
    await call('POST', namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'gone' },
    });
    const finalizers = (await call('GET', `${namespaces}/gone`)).body['spec']?.finalizers;
    const deleted = await call('DELETE', `${namespaces}/gone`);
    expect(deleted.code).toBe(200);
    if (finalizers === undefined) return;
    const object = (await call('GET', `${namespaces}/gone`)).body;
    expect(object['metadata'].deletionTimestamp).toBeDefined();
    const emptied = { ...object, spec: { finalizers: [] } };
    expect((await call('PUT', `${namespaces}/gone/finalize`, emptied)).code).toBe(200);
    expect((await call('GET', `${namespaces}/gone`)).code).toBe(404);
  });
});

describe('log', () => {
  async function running(
    name: string,
    containers = ['a'],
    statuses: Partial<ContainerStatus>[] = containers.map((each) => ({
      name: each,
      state: { running: {} },
    })),
  ) {
    await call('POST', POD_PATH, pod(name, containers));
    const key = { namespace: 'default', name };
    await fixture.registry.update(
      PODS,
      key,
      (current) => ({ ...current, spec: { ...current.spec, nodeName: 'n1' } }),
      { subresource: 'binding' },
    );
    await fixture.registry.update(
      PODS,
      key,
      (current) =>
        ({ ...current, status: { ...current.status, containerStatuses: statuses } }) as Pod,
      { subresource: 'status' },
    );
  }

  test('streams what the node sends, with the options of the query', async () => {
    await running('p');
    const requests: [string, LogRequest][] = [];
    logs = async function* (node, request) {
      requests.push([node, request]);
      yield Buffer.from('one\n');
      yield Buffer.from('two\n');
    };
    const query = 'tailLines=5&timestamps=true&limitBytes=99&sinceSeconds=7';
    const { code, body } = await call('GET', `${POD_PATH}/p/log?${query}`);
    expect([code, body['text']]).toEqual([200, 'one\ntwo\n']);
    expect(requests).toEqual([
      [
        'n1',
        {
          namespace: 'default',
          pod: 'p',
          uid: expect.stringMatching(/-/),
          container: 'a',
          follow: false,
          previous: false,
          timestamps: true,
          tailLines: 5,
          limitBytes: 99,
          sinceSeconds: 7,
        },
      ],
    ]);
  });

  test('an empty log is an empty answer', async () => {
    await running('p');
    logs = async function* () {};
    const { code, body } = await call('GET', `${POD_PATH}/p/log`);
    expect([code, body['text']]).toEqual([200, '']);
  });

  test('a pod without a node has no log yet', async () => {
    await call('POST', POD_PATH, pod('p'));
    expect((await call('GET', `${POD_PATH}/p/log`)).code).toBe(204);
  });

  test.each([
    ['', 400, 'a container name must be specified for pod p, choose one of: [a b]'],
    ['container=zz', 400, 'container zz is not valid for pod p'],
    ['container=a&previous=true', 400, 'previous terminated container "a" in pod "p" not found'],
    ['container=b', 400, 'container "b" in pod "p" is waiting to start: ContainerCreating'],
    [
      'container=a&tailLines=-1',
      422,
      'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'container=a&limitBytes=0',
      422,
      'PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
    ],
    [
      'container=a&sinceSeconds=0',
      422,
      'PodLogOptions "p" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0',
    ],
  ])('?%s is %i', async (query, code, message) => {
    const waiting = { name: 'b', state: { waiting: { reason: 'ContainerCreating' } } };
    await running('p', ['a', 'b'], [{ name: 'a', state: { running: {} } }, waiting]);
    const answer = await call('GET', `${POD_PATH}/p/log?${query}`);
    expect([answer.code, answer.body['message']]).toEqual([code, message]);
  });

  test.each([
    [{ waiting: { reason: 'ErrImagePull' } }, "is waiting to start: image can't be pulled"],
    [
      { waiting: { reason: 'ImagePullBackOff' } },
      'is waiting to start: trying and failing to pull image',
    ],
    [{ terminated: { exitCode: 1 } }, 'is terminated'],
  ])('a container in state %j says so', async (state, text) => {
    await running('p', ['a'], [{ name: 'a', state }]);
    const { body } = await call('GET', `${POD_PATH}/p/log`);
    expect(body['message']).toBe(`container "a" in pod "p" ${text}`);
  });

  test('a container that crashed before shows its last log while it waits', async () => {
    const state = { waiting: { reason: 'CrashLoopBackOff' } };
    const lastState = { terminated: { exitCode: 1, containerID: 'podman://x' } };
    await running('p', ['a'], [{ name: 'a', state, lastState }]);
    logs = async function* () {
      yield Buffer.from('last words\n');
    };
    expect((await call('GET', `${POD_PATH}/p/log`)).body['text']).toBe('last words\n');
  });

  test('an error of the node before the first chunk is a Status', async () => {
    await running('p');
    // biome-ignore lint/correctness/useYield: it fails before the first chunk
    logs = async function* () {
      throw new ApiError('ServiceUnavailable', 'node n1 is not connected');
    };
    const { code, body } = await call('GET', `${POD_PATH}/p/log`);
    expect([code, body['message']]).toEqual([503, 'node n1 is not connected']);
  });

  test('a client that leaves ends the stream of the node', async () => {
    await running('p');
    const ended = new Promise<void>((resolve) => {
      logs = async function* (_node, _request, signal) {
        signal.addEventListener('abort', () => resolve());
        yield Buffer.from('x\n');
        await new Promise((done) => signal.addEventListener('abort', done));
      };
    });
    const abort = new AbortController();
    const answer = await fetch(`${base}${POD_PATH}/p/log?follow=true`, { signal: abort.signal });
    expect(answer.status).toBe(200);
    abort.abort();
    await ended;
  });

  test('a client that reads slowly slows the node down', async () => {
    await running('p');
    let sent = 0;
    logs = async function* () {
      for (; sent < 2000; sent += 1) yield Buffer.alloc(64 * 1024, 'x');
    };
    const { port, hostname } = new URL(base);
    const lazy = connect(Number(port), hostname);
    lazy.pause();
    lazy.write(`GET ${POD_PATH}/p/log HTTP/1.1\r\nHost: x\r\n\r\n`);
    let before = -1;
    while (before !== sent || sent === 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(sent).toBeLessThan(1000);
    lazy.destroy();
  });
});
