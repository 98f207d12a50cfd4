import { expect, test } from 'vitest';
import { AgentConfigError, readAgentConfig } from './config.ts';

test('a machine name becomes a node name', () => {
  expect(readAgentConfig({}, 'My_Pi').nodeName).toBe('my-pi');
  expect(readAgentConfig({}, '-pi.lan.').nodeName).toBe('pi.lan');
  expect(readAgentConfig({}, '___').nodeName).toBe('node');
});

test.each([
  [{ runtime: 'docker' }, /--runtime docker: expected podman, containerd or auto/],
  [{ 'node-name': 'Pi' }, /--node-name Pi/],
  [{ 'node-ip': '10.0.0' }, /--node-ip 10\.0\.0/],
])('%j is refused with a sentence that names the option', (options, message) => {
  expect(() => readAgentConfig(options)).toThrow(AgentConfigError);
  expect(() => readAgentConfig(options)).toThrow(message);
});
