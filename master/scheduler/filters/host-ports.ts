import type { Filter } from './filter.ts';

/** Two pods cannot listen on one port of the host; 0.0.0.0 stands for every address. */
export const hostPorts: Filter = ({ hostPorts: wanted }, { hostPorts: taken }) => {
  const clash = wanted.some((port) => [...taken].some((other) => overlaps(port, other)));
  return clash ? ["node(s) didn't have free ports for the requested pod ports"] : [];
};

function overlaps(left: string, right: string): boolean {
  const [leftAddress, ...leftRest] = left.split('/');
  const [rightAddress, ...rightRest] = right.split('/');
  const everywhere = leftAddress === '0.0.0.0' || rightAddress === '0.0.0.0';
  return leftRest.join('/') === rightRest.join('/') && (everywhere || leftAddress === rightAddress);
}
