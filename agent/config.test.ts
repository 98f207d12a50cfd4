import { expect, test } from 'vitest';
import { AGENT_OPTIONS } from '../shared/options/program-options.ts';
import { givenAsFlags, OptionError } from '../shared/options/read-options.ts';
import { readAgentConfig } from './config.ts';

test('a machine name becomes a node name', () => {
  expect(readAgentConfig({}, 'My_Pi').nodeName).toBe('my-pi');
  expect(readAgentConfig({}, '-pi.lan.').nodeName).toBe('pi.lan');
  expect(readAgentConfig({}, '___').nodeName).toBe('node');
});

test.each([
  [{ runtime: 'docker' }, /--runtime docker: expected auto, podman or containerd/],
  [{ nodeName: 'Pi' }, /--node-name Pi/],
  [{ nodeIp: '10.0.0' }, /--node-ip 10\.0\.0/],
])('%j is refused with a sentence that names the option', (options, message) => {
  expect(() => readAgentConfig(givenAsFlags(AGENT_OPTIONS, options))).toThrow(OptionError);
  expect(() => readAgentConfig(givenAsFlags(AGENT_OPTIONS, options))).toThrow(message);
});
