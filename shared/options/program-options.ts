import type { OptionTable } from './option.ts';
import {
  CIDR,
  FILE,
  FOLDER,
  HOST,
  HOST_AND_PORT,
  HTTPS_URL,
  IPV4,
  NODE_NAME,
  oneOf,
  TEXT,
  wholeNumber,
} from './option-types.ts';

// The tables of what the programs can be told: parsing, validation, help, examples, reference, completion and manual follow them.

const DATA_DIR = {
  dataDir: {
    type: FOLDER,
    description: 'where everything is kept',
    default: '/var/lib/skerry',
  },
} as const satisfies OptionTable;

/** Of every program that runs on. */
export const LOG_OPTIONS = {
  logLevel: {
    type: oneOf('error', 'warn', 'info', 'debug'),
    description: 'the least important lines that are written',
    default: 'info',
  },
  logFormat: {
    type: oneOf('auto', 'plain', 'json'),
    description: 'auto is plain on a terminal, else one JSON object a line',
    default: 'auto',
  },
} as const satisfies OptionTable;

export const MASTER_OPTIONS = {
  ...DATA_DIR,
  listen: {
    type: HOST_AND_PORT,
    description: 'the one port: HTTPS and MQTT',
    default: '0.0.0.0:6443',
  },
  kubeconfig: {
    type: FILE,
    description: "where the administrator's kubeconfig goes",
    otherwise: 'admin.kubeconfig in the data directory',
    installed: '/var/lib/skerry/master/admin.kubeconfig',
  },
  advertiseAddress: {
    type: HOST,
    description: 'how devices and clients reach this master',
    otherwise: 'the address of the default route',
  },
  clusterCidr: { type: CIDR, description: 'addresses of pods', default: '10.42.0.0/16' },
  nodeCidrMaskSize: {
    type: wholeNumber(8, 28),
    description: "prefix length of one node's part of them",
    default: '24',
  },
  serviceCidr: { type: CIDR, description: 'addresses of services', default: '10.43.0.0/16' },
} as const satisfies OptionTable;

/** How an agent joins. */
export const JOIN_OPTIONS = {
  server: {
    type: HTTPS_URL,
    description: 'the master to join',
    otherwise: 'the one that the device has joined',
  },
  token: {
    type: TEXT,
    description: 'the join token; a token file keeps it out of the list of processes',
    otherwise: 'none; a device that has joined needs none',
    secret: true,
  },
  tokenFile: {
    type: FILE,
    description: 'a file with the join token; it may be gone once the device has joined',
    otherwise: 'none',
  },
} as const satisfies OptionTable;

export const AGENT_OPTIONS = {
  ...DATA_DIR,
  runtime: {
    type: oneOf('auto', 'podman', 'containerd'),
    description:
      "auto is podman if it works; containerd's socket is $CONTAINERD_ADDRESS, as for ctr",
    default: 'auto',
  },
  nodeName: {
    type: NODE_NAME,
    description: "the node's name",
    otherwise: "the machine's",
  },
  nodeIp: {
    type: IPV4,
    description: "the node's address, one of this machine's",
    otherwise: 'the address of the default route',
  },
} as const satisfies OptionTable;
