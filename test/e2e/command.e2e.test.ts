import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, SKERRY } from './cluster.ts';
import { podManifest, shell } from './pods.ts';
import { Program } from './program.ts';
import { type Result, run } from './run.ts';

/** What people without kubectl do: a master and an agent as programs of their own, so that one can be away. */
const cluster = new Cluster(13);

/** With the cluster's kubeconfig in the environment, as root has it on a master. */
function skerry(...args: string[]): Promise<Result> {
  return run(SKERRY, args, { env: { ...process.env, KUBECONFIG: cluster.kubeconfig } });
}

/** On a device: no kubeconfig anywhere. */
function onDevice(...args: string[]): Promise<Result> {
  const env = { ...process.env, KUBECONFIG: `${cluster.folder}/none` };
  return run(SKERRY, [...args, '--data-dir', cluster.dataDir], { env });
}

const TALK = shell(
  'echo hello; echo again; trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done',
);

beforeAll(async () => {
  await cluster.start('master');
  const token = await cluster.token();
  await cluster.start('agent', '--server', cluster.server, '--token', token, '--node-name', 'pi');
  await cluster.must(['apply', '-f', '-'], podManifest('talker', { command: TALK }));
  await cluster.running('talker');
});

afterAll(() => cluster.purge());

describe('with the master there', () => {
  it('status says that all is well', async () => {
    const { code, stdout } = await skerry('status', '--data-dir', cluster.dataDir);
    expect(stdout).toMatch(/^cluster https:\/\/127\.0\.0\.1:\d+\n {2}master +healthy\n/);
    expect(stdout).toMatch(/nodes +1 of 1 ready\n/);
    expect(stdout).toMatch(/pods +1 of 1 running\n/);
    expect(stdout).toMatch(
      /this device, node pi\n {2}agent +runs \(process \d+\)\n {2}link +up, to/,
    );
    expect(stdout).toMatch(/certificate +ends \d{4}-/);
    expect(code).toBe(0);
  });

  it('status is data for programs', async () => {
    const { stdout } = await skerry('status', '-o', 'json', '--data-dir', cluster.dataDir);
    expect(JSON.parse(stdout)).toMatchObject({
      well: true,
      cluster: { reachable: true, nodes: { total: 1, ready: 1, notReady: [] } },
      device: { node: 'pi', agentRuns: true, linked: true, pods: { total: 1, running: 1 } },
    });
  });

  it('nodes and pods are shown as kubectl shows them', async () => {
    expect((await skerry('nodes')).stdout).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION\npi +Ready/);
    expect((await skerry('pods')).stdout).toMatch(
      /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\ndefault +talker +1\/1 +Running/,
    );
    expect((await skerry('pods', '-o', 'name')).stdout).toBe('pod/talker\n');
  });

  it('logs are printed, and a pod that is not there is answered with the nearest', async () => {
    expect((await skerry('logs', 'talker', '--tail', '1')).stdout).toBe('again\n');
    const missing = await skerry('logs', 'talk');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('no pod "talk" in namespace default; did you mean talker?');
  });

  it('describe shows containers and events', async () => {
    const pod = await skerry('describe', 'pod', 'talker');
    expect(pod.stdout).toMatch(
      /Containers:\n {2}NAME +IMAGE.*\n {2}main +localhost\/skerry-sample:1 +running for/,
    );
    expect(pod.stdout).toMatch(
      /Events:\n {2}AGE +TYPE +REASON +FROM +MESSAGE\n(.*\n)* .*Normal +Started/,
    );
    const node = await skerry('describe', 'node', 'pi');
    expect(node.stdout).toMatch(/Pods:\n {2}NAMESPACE +NAME.*\n {2}default +talker/);
  });

  it('what is named by get is taken by the others', async () => {
    const [name = ''] = (await skerry('get', 'pods', '-o', 'name')).stdout.split('\n');
    expect(name).toBe('pod/talker');
    expect((await skerry('logs', name, '--tail', '1')).stdout).toBe('again\n');
    expect((await skerry('describe', name)).stdout).toMatch(/^Name: +talker\n/);
    const { code, stdout, stderr } = await skerry('get', name, 'pod/nobody', 'node/pi');
    expect(stdout).toMatch(/^NAME .*\npod\/talker .*\n\nNAME .*\nnode\/pi .*\n$/);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'Error from server (NotFound): pods "nobody" not found\n',
    });
  });

  it('all manifests that are given are applied, and what cannot be is told', async () => {
    const files = ['one', 'two'].map((name) => {
      const file = join(cluster.folder, `${name}.json`);
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
      writeFileSync(file, JSON.stringify(object));
      return file;
    });
    const [one = '', two = ''] = files;
    expect(await skerry('apply', '-f', one, '-f', two)).toMatchObject({
      code: 0,
      stdout: 'configmap/one created\nconfigmap/two created\n',
    });
    expect(await skerry('apply', '-f', `${one},${one}.gone`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `skerry apply: the path "${one}.gone" does not exist\n`,
    });
    expect(await skerry('delete', '-f', files.join(','))).toMatchObject({
      code: 0,
      stdout: 'configmap "two" deleted\nconfigmap "one" deleted\n',
    });
  });

  it('a service is described with its endpoints', async () => {
    const { stdout } = await skerry('describe', 'svc/kubernetes');
    expect(stdout).toMatch(/^Endpoints: +(https \d\S+:\d+|<none>)\n/m);
  });

  it('delete ends when the object is gone', async () => {
    await cluster.must(['apply', '-f', '-'], podManifest('short'));
    await cluster.running('short');
    const { code, stdout } = await skerry('delete', 'pod', 'short', '--wait', '30');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod "short" deleted\n' });
    expect(await skerry('delete', 'pod', 'short')).toMatchObject({
      code: 1,
      stderr: 'Error from server (NotFound): pods "short" not found\n',
    });
  });
});

describe('with the master away', () => {
  beforeAll(async () => {
    await cluster.program('master').stop('SIGKILL');
  });

  it('status says what the device knows, and that the link is down', async () => {
    const { code, stdout } = await onDevice('status');
    expect(stdout).toMatch(
      /^this device, node pi\n {2}agent +runs.*\n {2}link +down: no connection/,
    );
    expect(stdout).toMatch(/pods +1 of 1 running\n/);
    expect(code).toBe(1);
  });

  it('pods come from the device, in the same columns', async () => {
    const { stdout, stderr, code } = await onDevice('pods');
    expect(stdout).toMatch(
      /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\ndefault +talker +1\/1 +Running/,
    );
    expect(stderr).toContain('from the saved state of this device (node pi) itself');
    expect(code).toBe(0);
  });

  it('nodes, services and slices come from the device, in the same columns', async () => {
    const nodes = await onDevice('nodes');
    expect(nodes.stdout).toMatch(
      /^NAME +STATUS +ROLES +AGE +VERSION\npi +Ready +<none> +\d+[sm]\S* +v1/,
    );
    expect(nodes.stderr).toMatch(/^from the saved state of this device \(node pi\) itself.*:\n$/);
    const services = await onDevice('get', 'svc', 'kubernetes', '-o', 'json');
    expect(JSON.parse(services.stdout)).toMatchObject({
      kind: 'Service',
      metadata: { name: 'kubernetes' },
    });
    expect((await onDevice('get', 'services', '-A', '-o', 'name')).stdout).toBe(
      'service/kubernetes\nservice/kube-dns\n',
    );
  });

  it('one object is described, without what only the master knows', async () => {
    const pod = await onDevice('describe', 'pod', 'talker');
    expect(pod.stdout).toMatch(/^Name: +talker\n(.*\n)*Events:\n {2}only the master has them\n$/);
    const node = await onDevice('describe', 'node', 'pi');
    expect(node.stdout).toMatch(/Pods:\n {2}NAMESPACE +NAME.*\n {2}default +talker/);
  });

  it('what the device does not know, or must not show, is said and ends with 1', async () => {
    const deployments = await onDevice('get', 'deployments');
    expect(deployments).toMatchObject({ code: 1, stdout: '' });
    expect(deployments.stderr).toContain('this device knows no deployments, only configmaps, ');
    const secrets = await onDevice('get', 'secrets', '-A', '-o', 'yaml');
    expect(secrets).toMatchObject({ code: 1, stdout: '' });
    expect(secrets.stderr).toContain('this device shows no secrets');
    expect(await onDevice('get', 'pod', 'nobody')).toMatchObject({ code: 1, stdout: '' });
  });

  it('where a kubeconfig is, the command says that the master is away first', async () => {
    const { stdout, stderr } = await skerry('pods', '--data-dir', cluster.dataDir, '-o', 'name');
    expect(stdout).toBe('pod/talker\n');
    expect(stderr).toMatch(/cannot be reached .*\nfrom the saved state/);
  });

  it('logs come from the files of the device, as they are written too', async () => {
    expect((await onDevice('logs', 'talker')).stdout).toBe('hello\nagain\n');
    const following = new Program(
      SKERRY,
      ['logs', '-f', 'talker', '--data-dir', cluster.dataDir, '--local'],
      process.env,
    );
    await following.line(/^again$/m);
    await cluster.program('agent').stop();
    expect(following.exit).toBeUndefined();
    await following.stop();
  });

  it('without its agent the device says so, and answers all the same', async () => {
    const { stdout, stderr } = await onDevice('pods', '-o', 'name');
    expect(stdout).toBe('pod/talker\n');
    expect(stderr).toContain('; its agent does not run:');
    expect((await onDevice('status')).stdout).toMatch(/agent +does not run\n/);
  });
});

describe('check', () => {
  it('finds this machine fit to run pods, and says so to programs', async () => {
    const { code, stdout } = await run(SKERRY, ['check', '--for', 'agent', '-o', 'json']);
    const report = JSON.parse(stdout);
    expect({ code, errors: report.errors }).toEqual({ code: 0, errors: 0 });
    const severities = Object.fromEntries(
      report.findings.map(({ id, severity }: { id: string; severity: string }) => [id, severity]),
    );
    expect(severities).toMatchObject({ 'kernel-veth': 'ok', engine: 'ok', time: 'ok' });
  });

  it('finds a port in use and a master that does not answer, and ends with 1', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const server = 'https://127.0.0.1:1';
    const options = ['--listen', `0.0.0.0:${port}`, '--server', server];
    options.push('--data-dir', cluster.dataDir);
    const { code, stdout } = await run(SKERRY, ['check', ...options]);
    holder.close();
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`error +api-port +port ${port} is in use by node`));
    expect(stdout).toMatch(/error +master-reachable +https:.* does not answer/);
  });

  it('takes no range or port that cannot be right', async () => {
    for (const option of ['--cluster-cidr', '--service-cidr', '--listen', '--server', '--for']) {
      const { code, stdout, stderr } = await run(SKERRY, ['check', option, 'x']);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^skerry check: ${option} x: expected .*\\n$`));
    }
  });

  it('turns the memory controller of a Raspberry Pi on, and keeps the file as it was', async () => {
    // A machine without the controller, and with a Raspberry Pi's boot folder, for as long as the script runs.
    const script = `
      mkdir -p boot/firmware && echo 'console=tty1 rootwait' > boot/firmware/cmdline.txt
      mount --bind boot /boot
      umount /sys/fs/cgroup/memory 2>/dev/null || {
        echo 'cpu pids' > controllers
        mount --bind controllers /sys/fs/cgroup/cgroup.controllers
      }
      "$0" check --for agent | grep -A 2 memory-controller
      "$0" check --for agent --fix
      "$0" check --for agent --fix | grep -A 2 memory-controller
      cat boot/firmware/*`;
    const { stdout } = await run('unshare', ['--mount', 'sh', '-c', script, SKERRY], {
      cwd: cluster.folder,
    });
    expect(stdout).toContain('add cgroup_enable=memory cgroup_memory=1 to the end of its one line');
    expect(stdout).toContain('/boot/firmware/cmdline.txt now turns the memory controller on');
    expect(stdout).toMatch(
      /though \/boot\/firmware\/cmdline\.txt turns it on\n.*\n +do: +reboot\n/,
    );
    expect(
      stdout.endsWith('rootwait cgroup_enable=memory cgroup_memory=1\nconsole=tty1 rootwait\n'),
    ).toBe(true);
  });
});
