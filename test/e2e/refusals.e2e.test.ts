import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, freePort, SKERRY } from './cluster.ts';
import { podManifest } from './pods.ts';
import { mustRun, type Result, run } from './run.ts';

/** What is refused, in the words of Kubernetes, or in one sentence. */
const cluster = new Cluster(10);

beforeAll(async () => {
  await cluster.start();
});

afterAll(async () => {
  await cluster.purge();
});

describe('kubectl is told what is wrong with a manifest', () => {
  const refused = async (manifest: string | object, ...options: string[]): Promise<string> => {
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    const result = await cluster.kubectl(['create', '-f', '-', ...options], text);
    expect(result.code).toBe(1);
    return result.stderr;
  };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'taken' } };

  it('an unknown field', async () => {
    expect(await refused({ ...configMap, dta: { a: 'b' } })).toBe(
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"\n',
    );
    expect(await refused(podManifest('x', { imagee: 'y' }))).toBe(
      'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee"\n',
    );
  });

  it('a wrong type', async () => {
    expect(await refused({ ...configMap, data: { a: 1 } })).toBe(
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string\n',
    );
  });

  it('a missing name', async () => {
    expect(await refused({ ...configMap, metadata: {} })).toBe(
      'The ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required\n',
    );
    const applied = await cluster.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ ...configMap, metadata: {} }),
    );
    expect(applied).toMatchObject({ code: 1 });
    expect(applied.stderr).toMatch(/resource name may not be empty\n$/);
  });

  it('a name that is none', async () => {
    expect(await refused({ ...configMap, metadata: { name: 'Not_A_Name' } })).toBe(
      "The ConfigMap \"Not_A_Name\" is invalid: metadata.name: Invalid value: \"Not_A_Name\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n",
    );
  });

  it('a bad quantity', async () => {
    const limited = (memory: string) => podManifest('x', { resources: { limits: { memory } } });
    const start =
      'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: ';
    expect(await refused(limited('16MMi'))).toBe(`${start}unable to parse quantity's suffix\n`);
    expect(await refused(limited('lots'))).toBe(
      `${start}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n`,
    );
  });

  it('a request above its limit', async () => {
    const resources = { limits: { memory: '16Mi' }, requests: { memory: '32Mi' } };
    expect(await refused(podManifest('x', { resources }))).toBe(
      'The Pod "x" is invalid: spec.containers[0].resources.requests: Invalid value: "32Mi": must be less than or equal to memory limit of 16Mi\n',
    );
  });

  it('a name that exists', async () => {
    await cluster.must(['create', '-f', '-'], JSON.stringify(configMap));
    expect(await refused(configMap)).toBe(
      'Error from server (AlreadyExists): error when creating "STDIN": configmaps "taken" already exists\n',
    );
  });

  it('a namespace that does not exist', async () => {
    expect(await refused({ ...configMap, metadata: { name: 'a', namespace: 'none' } })).toBe(
      'Error from server (NotFound): error when creating "STDIN": namespaces "none" not found\n',
    );
  });

  it('a kind that does not exist', async () => {
    expect(await refused({ ...configMap, kind: 'ConfigMapp' })).toBe(
      'error: resource mapping not found for name: "taken" namespace: "" from "STDIN": no matches for kind "ConfigMapp" in version "v1"\nensure CRDs are installed first\n',
    );
  });

  it('an object that is not there', async () => {
    expect((await cluster.kubectl(['get', 'pod', 'none'])).stderr).toBe(
      'Error from server (NotFound): pods "none" not found\n',
    );
  });

  it('a change of what may not change', async () => {
    await cluster.must(['create', '-f', '-'], podManifest('fixed'));
    const patch = ['-p', '{"spec":{"containers":[{"name":"main","command":["x"]}]}}'];
    const { stderr } = await cluster.kubectl(['patch', 'pod', 'fixed', ...patch]);
    expect(stderr).toMatch(
      /^The Pod "fixed" is invalid: spec: Forbidden: pod updates may not change fields other than /,
    );
  });
});

describe('skerry says in one sentence', () => {
  let number = 0;
  const folder = () => join(cluster.folder, `refused-${++number}`);
  const start = async (dataDir: string, env = process.env, ...options: string[]) => {
    const listen = ['--listen', `127.0.0.1:${await freePort()}`];
    const ranges = ['--cluster-cidr', '10.111.0.0/16', '--service-cidr', '10.171.0.0/16'];
    const args = ['up', '--data-dir', dataDir, ...listen, ...ranges, ...options];
    return await run(SKERRY, args, { env, timeoutMs: 30_000 });
  };
  /** Its words on standard error, without log lines. */
  const words = ({ code, stderr }: Result) => ({
    code,
    words: stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{')),
  });

  it('that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const dataDir = folder();
    const result = await start(dataDir, process.env, '--listen', `127.0.0.1:${port}`);
    server.close();
    expect(words(result)).toEqual({
      code: 1,
      words: [expect.stringMatching(new RegExp(`^skerry up: 127.0.0.1:${port} is in use`))],
    });
    await mustRun(SKERRY, ['down', '--purge', '--data-dir', dataDir]);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('that the data directory is a file', async () => {
    const dataDir = folder();
    writeFileSync(dataDir, '');
    expect(words(await start(dataDir))).toEqual({
      code: 1,
      words: [
        `skerry up: the data directory ${dataDir} cannot be used: a file is in its place; choose another with --data-dir`,
      ],
    });
  });

  it('that the data directory is on a read-only file system', async () => {
    const dataDir = folder();
    mkdirSync(dataDir);
    await mustRun('mount', ['--bind', dataDir, dataDir]);
    await mustRun('mount', ['-o', 'remount,ro,bind', dataDir]);
    const result = await start(dataDir);
    await mustRun('umount', [dataDir]);
    expect(words(result)).toEqual({
      code: 1,
      words: [
        `skerry up: the data directory ${dataDir} cannot be used: it is on a read-only file system; choose another with --data-dir`,
      ],
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('that another process uses the data directory', async () => {
    const before = await cluster.must(['get', 'nodes', '-o', 'name']);
    const result = await start(cluster.dataDir);
    expect(words(result)).toEqual({
      code: 1,
      words: [`skerry up: ${cluster.dataDir}/master is in use by another process of skerry`],
    });
    const agent = await run(SKERRY, ['agent', '--data-dir', cluster.dataDir]);
    expect(agent.code).toBe(1);
    expect(agent.stderr).toBe(
      `skerry agent: another skerry process already uses ${cluster.dataDir}/agent\n`,
    );
    expect(await cluster.must(['get', 'nodes', '-o', 'name'])).toBe(before);
  });

  it.each([
    { runtime: 'auto', words: 'podman is not installed: apt-get install podman' },
    { runtime: 'podman', words: 'podman is not installed: apt-get install podman' },
    { runtime: 'containerd', words: 'containerd is not installed: apt-get install containerd' },
  ])('that --runtime $runtime finds no engine', async (one) => {
    const bin = folder();
    mkdirSync(bin);
    for (const name of ['sh', 'dirname', 'readlink', 'ip', 'nft', 'mount', 'umount', 'unshare']) {
      const found = await run('sh', ['-c', `command -v ${name}`]);
      if (found.code === 0) symlinkSync(found.stdout.trim(), join(bin, name));
    }
    const dataDir = folder();
    const env = { ...process.env, PATH: bin };
    const result = await start(dataDir, env, '--runtime', one.runtime);
    expect(words(result)).toEqual({ code: 1, words: [`skerry up: ${one.words}`] });
  });

  it.each([
    ['--cluster-cidr', '10.0.0.0'],
    ['--listen', 'nowhere'],
    ['--runtime', 'docker'],
    ['--node-ip', 'x'],
    ['--node-name', 'A_B'],
    ['--colour', 'red'],
  ])('that %s %s cannot be right', async (option, value) => {
    const dataDir = folder();
    const result = await start(dataDir, process.env, option, value);
    expect(result.code).not.toBe(0);
    expect(words(result).words).toEqual([expect.stringContaining(option)]);
    expect(existsSync(dataDir)).toBe(false);
  });
});
