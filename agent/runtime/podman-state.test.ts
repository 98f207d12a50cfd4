import { describe, expect, it } from 'vitest';
import { type ContainerFiles, containerState, type PodmanPsEntry } from './podman-state.ts';

const NEVER = -62_135_596_800;
const ROW: PodmanPsEntry = {
  Id: 'abc',
  Names: ['skerry-a-b'],
  Labels: { x: 'y' },
  State: 'running',
  Pid: 42,
  ExitCode: 0,
  Created: 1_795_225_212,
  StartedAt: 1_795_225_213,
  ExitedAt: NEVER,
  Image: 'localhost/x:1',
  ImageID: 'feed',
};

function stateOf(row: Partial<PodmanPsEntry>, files: Partial<ContainerFiles> = {}) {
  return containerState(
    { ...ROW, ...row },
    {
      starting: () => false,
      startNote: () => false,
      exitNote: () => undefined,
      monitorAlive: () => true,
      ...files,
    },
  );
}

describe('containerState', () => {
  it('running with a monitor is running', () => {
    expect(stateOf({})).toMatchObject({
      state: 'running',
      pid: 42,
      createdAt: '2026-11-21T01:40:12Z',
      startedAt: '2026-11-21T01:40:13Z',
    });
  });

  it('running without a monitor is lost', () => {
    expect(stateOf({}, { monitorAlive: () => false }).state).toBe('lost');
  });

  it('running in an old row is exited once the exit was seen', () => {
    const exitNote = () => ({ exitCode: 3, oomKilled: true, finishedAtMs: 1_795_225_214_500 });
    expect(stateOf({}, { exitNote })).toMatchObject({
      state: 'exited',
      exitCode: 3,
      oomKilled: true,
      finishedAt: '2026-11-21T01:40:14.500Z',
    });
  });

  it('created is created, but lost when it was started once', () => {
    const row = { State: 'created', StartedAt: NEVER, Pid: 0 };
    expect(stateOf(row)).toMatchObject({ state: 'created' });
    expect(stateOf(row)).not.toHaveProperty('startedAt');
    expect(stateOf({ ...row, StartedAt: ROW.StartedAt }).state).toBe('lost');
    expect(stateOf(row, { startNote: () => true }).state).toBe('lost');
    expect(stateOf(row, { startNote: () => true, starting: () => true }).state).toBe('created');
  });

  it('created with a failed start is exited', () => {
    const exitNote = () => ({ exitCode: 128, oomKilled: false, finishedAtMs: 0 });
    const row = { State: 'created', StartedAt: NEVER };
    expect(stateOf(row, { exitNote })).toMatchObject({ state: 'exited', exitCode: 128 });
  });

  it('exited has podman’s code, and no word on memory when nobody noted it', () => {
    const state = stateOf({ State: 'exited', ExitCode: 7, ExitedAt: 1_795_225_220 });
    expect(state).toMatchObject({
      state: 'exited',
      exitCode: 7,
      finishedAt: '2026-11-21T01:40:20Z',
    });
    expect(state.oomKilled).toBeUndefined();
  });

  it.each(['removing', 'unknown', 'anything'])('%s is lost', (State) => {
    expect(stateOf({ State }).state).toBe('lost');
  });
});
