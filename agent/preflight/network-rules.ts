import { type Cidr, cidrsOverlap, parseCidr } from '../../shared/meta/cidr.ts';
import type { ListenerFacts, MachineSurvey, PreflightAim } from './facts.ts';
import { failure, ok, type Rule, type Verdict, warning } from './finding.ts';

const DNS_PORT = 53;
const NODE_PORTS = { from: 30_000, to: 32_767 };
const EVERY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

/** Ports, addresses, names, and who else wants them. */
export const NETWORK_RULES: readonly Rule[] = [
  { id: 'api-port', roles: 'master', judge: apiPort },
  { id: 'dns-port', roles: 'agent', judge: dnsPort },
  { id: 'node-ports', roles: 'agent', judge: nodePorts },
  { id: 'addresses', roles: 'all', judge: addresses },
  {
    id: 'firewall',
    roles: 'agent',
    judge: ({ droppingForwardChains: chains }, { clusterCidr }) => {
      if (chains === undefined) return undefined;
      if (chains.length === 0) return ok('nothing drops forwarded packets');
      return warning(
        `forwarded packets are dropped unless accepted: ${chains.join(', ')}`,
        'what another program drops stays dropped: pods may not reach other nodes or the internet',
        `accept the range of pod addresses there, for example: iptables -I FORWARD -s ${clusterCidr} -j ACCEPT; iptables -I FORWARD -d ${clusterCidr} -j ACCEPT`,
      );
    },
  },
  {
    id: 'other-kubernetes',
    roles: 'all',
    judge: ({ otherKubernetes }) =>
      otherKubernetes.length === 0
        ? ok('no other Kubernetes on this machine')
        : warning(
            `also here: ${otherKubernetes.join(', ')}`,
            'both want port 6443, ports of nodes (30000-32767) and, with k3s, the same ranges of addresses',
            'remove it (k3s-uninstall.sh, kubeadm reset), or give Skerry --listen, --cluster-cidr and --service-cidr of its own',
          ),
  },
  { id: 'master-name', roles: 'agent', judge: masterName },
  { id: 'master-reachable', roles: 'agent', judge: masterReachable },
];

function apiPort({ listeners, isRoot }: MachineSurvey, { listenPort }: PreflightAim): Verdict {
  const holders = listeners.filter(
    ({ protocol, port }) => protocol === 'tcp' && port === listenPort,
  );
  const other = holders.find(({ isOurs }) => !isOurs);
  // It may well be this machine's own master.
  if (other?.process === '' && !isRoot) {
    return warning(
      `port ${listenPort} is in use; only root sees by what`,
      'the master serves its API there: another program would be in its way',
      'run it again with sudo',
    );
  }
  if (other !== undefined) {
    return failure(
      `port ${listenPort} is in use by ${named(other)}`,
      'the master serves its API there',
      'stop that program, or choose another port with --listen 0.0.0.0:PORT',
    );
  }
  return ok(`port ${listenPort} is ${holders.length > 0 ? "Skerry's own" : 'free'}`);
}

function dnsPort({ listeners }: MachineSurvey): Verdict {
  const others = listeners.filter(
    ({ port, address, isOurs }) => port === DNS_PORT && EVERY_ADDRESS.includes(address) && !isOurs,
  );
  const [other] = others;
  if (other === undefined) return ok('port 53 is free at the DNS address of the cluster');
  return failure(
    `port 53 of every address is in use by ${named(other)}`,
    'the names of services are served on port 53 of an address of their own, which cannot be had then: names do not resolve in pods',
    'let it listen on its own addresses only: bind-dynamic (dnsmasq), "Bind only to interface" (Pi-hole), interface: ADDRESS (unbound)',
  );
}

function nodePorts({ listeners }: MachineSurvey): Verdict {
  const others = listeners.filter(
    ({ port, protocol, address, isOurs }) =>
      protocol === 'tcp' &&
      !isOurs &&
      !address.startsWith('127.') &&
      port >= NODE_PORTS.from &&
      port <= NODE_PORTS.to,
  );
  if (others.length === 0) return ok('nothing listens on ports 30000 to 32767');
  return warning(
    `in use: ${[...new Set(others.map((listener) => `${listener.port} by ${named(listener)}`))].join(', ')}`,
    'a service of type NodePort that gets this port takes it over: the program is no longer reached',
    'move the program to a port below 30000',
  );
}

/**
 * A route into one of the ranges that is not Skerry's own leads pods' packets elsewhere, or ours away from a neighbour; a master within
 * them is not reached any more.
 */
function addresses({ routes, server }: MachineSurvey, aim: PreflightAim): Verdict {
  const ranges = [
    ['--cluster-cidr', aim.clusterCidr],
    ['--service-cidr', aim.serviceCidr],
  ] as const;
  const taken = [
    ...routes
      .filter(({ isOurs }) => !isOurs)
      .map(({ destination, device }) => [destination, `${destination} on ${device}`] as const),
    ...(server?.addresses ?? []).map(
      (address) => [`${address}/32`, `the master, ${address}`] as const,
    ),
  ];
  const clashes = ranges.flatMap(([option, range]) =>
    taken
      .filter(([destination]) => overlap(destination, range))
      .map(([, what]) => `${option} ${range} and ${what}`),
  );
  if (overlap(aim.clusterCidr, aim.serviceCidr))
    clashes.push(ranges.map(([option, range]) => `${option} ${range}`).join(' and '));
  if (clashes.length === 0) {
    return ok(`${aim.clusterCidr} and ${aim.serviceCidr} are used by nothing else here`);
  }
  const judge = aim.rangesKnown ? failure : warning;
  const whose = aim.rangesKnown ? '' : ' (if the master has the ranges of default)';
  return judge(
    `the same addresses twice: ${clashes.join('; ')}${whose}`,
    'machines with these addresses and pods cannot both be reached',
    'choose other ranges on the master (--cluster-cidr, --service-cidr), for example 10.142.0.0/16 and 10.143.0.0/16; they cannot be changed later',
  );
}

function overlap(left: string, right: string): boolean {
  const [one, other] = [cidrOrNone(left), cidrOrNone(right)];
  return one !== undefined && other !== undefined && cidrsOverlap(one, other);
}

function cidrOrNone(text: string): Cidr | undefined {
  try {
    return parseCidr(text);
  } catch {
    return undefined;
  }
}

function masterName({ server }: MachineSurvey): Verdict | undefined {
  if (server === undefined) return undefined;
  const { host, addresses: found } = server;
  if (found === undefined || found.length === 0) {
    return failure(
      `the name ${host} does not resolve`,
      'the device finds its master by it, at every boot',
      'use the address of the master, a name that your router knows, or a line in /etc/hosts; names ending in .local need libnss-mdns',
    );
  }
  return ok(found.includes(host) ? host : `${host} is ${found.join(', ')}`);
}

function masterReachable({ server }: MachineSurvey): Verdict | undefined {
  if (server?.answer === undefined) return undefined;
  const { answer, url } = server;
  if ('failure' in answer) {
    return failure(
      `${url} does not answer: ${answer.failure}`,
      'the device joins there, and one outgoing connection to it is all it needs',
      'is the master running, is the port right, and does a firewall on the way let it through? curl -k URL/version says the same',
    );
  }
  return ok(`${url} answers`);
}

function named({ process, address, port }: ListenerFacts): string {
  return process === '' ? `another program (${address}:${port})` : process;
}
