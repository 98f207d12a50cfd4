import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { ApiError, badRequest, conflict } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { formatTime } from '../../shared/meta/time.ts';
import { shownText } from '../../shared/options/read-options.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Node } from '../../shared/schema/kubernetes-types.ts';
import { SKERRY_VERSION } from '../../shared/version.ts';
import {
  CERTIFICATE_END_ANNOTATION,
  type EnrolmentAnswer,
  type EnrolmentRequest,
} from '../../shared/wire/enrolment.ts';
import { releaseRefusal } from '../../shared/wire/release-skew.ts';
import type { NodeEnrolment } from '../api/node-enrolment.ts';
import type { Registry } from '../store/registry.ts';
import { NODE_CERTIFICATE_LIFETIME_MS } from './certificate-authority.ts';
import {
  SEALING_KEY_ANNOTATION,
  SIGNING_KEY_ANNOTATION,
  TLS_KEY_ANNOTATION,
  tlsKeySha256,
} from './node-keys.ts';
import type { JoinTokens, TokenUse } from './tokens.ts';

/** RFC 1123 subdomain, as the names of Nodes are. */
const NODE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NODE_NAME_LENGTH = 253;

/** What enrolment wants of the CertificateAuthority. */
interface Issuer {
  readonly ca: string;
  readonly clusterId: string;
  readonly signingPublicKey: string;
  issueNode(nodeName: string, request: string): Promise<string>;
  hasSigned(certificate: Uint8Array): boolean;
}

/**
 * Takes devices into the cluster. Invariants: a node's name belongs to the device whose signing key its Node object carries, until
 * that object is deleted or a token that adopts hands the name to another device; certificates are given to no other. Who lost its
 * Node comes back only by another use of a token.
 */
export class Enrolment implements NodeEnrolment {
  readonly #registry: Registry;
  readonly #nodes: ResourceKind<Node>;
  readonly #tokens: JoinTokens;
  readonly #authority: Issuer;
  readonly #broker: () => string;
  readonly #logger: Logger;
  /** By token and request: what comes again meanwhile has the same outcome. */
  readonly #underway = new Map<string, Promise<EnrolmentAnswer>>();

  /** `broker` answers the address that devices shall connect to, `mqtts://host:port`; '' for the port at which they enrol. */
  constructor(parts: {
    registry: Registry;
    nodes: ResourceKind<Node>;
    tokens: JoinTokens;
    authority: Issuer;
    broker: () => string;
    logger: Logger;
  }) {
    this.#registry = parts.registry;
    this.#nodes = parts.nodes;
    this.#tokens = parts.tokens;
    this.#authority = parts.authority;
    this.#broker = parts.broker;
    this.#logger = parts.logger;
  }

  /** The token's use is given back when anything after it fails; the same request again takes no other use. */
  async enrol(token: string, request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    checkRequest(request);
    const key = sha256(JSON.stringify([token, hashOf(request)]));
    const underway = this.#underway.get(key);
    if (underway !== undefined) return underway;
    const joining = this.#join(token, request).finally(() => this.#underway.delete(key));
    this.#underway.set(key, joining);
    return joining;
  }

  async #join(token: string, request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    const { nodeName } = request;
    const use = await this.#tokens.redeem(token, nodeName, hashOf(request), {
      permit: (adopts) => {
        if (!adopts) this.#checkHolder(this.#find(nodeName), request);
      },
      isMember: () => signingKeyOf(this.#find(nodeName)) === request.signingKey,
    });
    const certificate = await this.#joinBy(use, request);
    await use.keep();
    this.#logger.info('a device joined', { node: nodeName, adopted: use.adopts });
    return this.#answer(nodeName, certificate);
  }

  async #joinBy(use: TokenUse, request: EnrolmentRequest): Promise<string> {
    try {
      const certificate = await this.#authority.issueNode(request.nodeName, request.csr);
      await this.#claim(request, certificate, (node) => {
        if (use.isOfMember) this.#checkMember(node, request);
        else if (!use.adopts) this.#checkHolder(node, request);
      });
      return certificate;
    } catch (error) {
      await use.giveBack();
      throw error;
    }
  }

  /** `nodeName` is the one of the client certificate, whose key the device holds. The device stays the one that enrolled. */
  async renew(nodeName: string, request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    checkRequest(request);
    if (request.nodeName !== nodeName) {
      throw badRequest(`the certificate is node "${nodeName}", the request names another`);
    }
    this.#checkMember(this.#find(nodeName), request);
    const certificate = await this.#authority.issueNode(nodeName, request.csr);
    await this.#claim(request, certificate, (node) => this.#checkMember(node, request));
    this.#logger.info('a certificate was renewed', { node: nodeName });
    return this.#answer(nodeName, certificate);
  }

  hasSigned(certificate: Uint8Array): boolean {
    return this.#authority.hasSigned(certificate);
  }

  #find(name: string): Node | undefined {
    return this.#registry.find(this.#nodes, { namespace: '', name });
  }

  /** One made anew by hand has no holder: that takes a token. */
  #checkMember(node: Node | undefined, request: EnrolmentRequest): void {
    if (signingKeyOf(node) === undefined) {
      const { nodeName } = request;
      throw new ApiError('Forbidden', `node "${nodeName}" was removed: join again with a token`);
    }
    this.#checkHolder(node, request);
  }

  #checkHolder(node: Node | undefined, request: EnrolmentRequest): void {
    const holder = signingKeyOf(node);
    if (holder !== undefined && holder !== request.signingKey) {
      const why =
        'the name is held by another device; choose another, or give this one its place: skerry node adopt';
      throw conflict(this.#nodes, request.nodeName, why);
    }
  }

  /** Writes the device's keys onto its Node object, which it makes if there is none; `mayClaim` throws where it may not. */
  async #claim(
    request: EnrolmentRequest,
    certificate: string,
    mayClaim: (node: Node | undefined) => void,
  ): Promise<void> {
    const claims = claimAnnotations(request, certificate);
    if (this.#find(request.nodeName) === undefined) {
      mayClaim(undefined);
      try {
        await this.#registry.create(this.#nodes, newNode(request.nodeName, claims));
        return;
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
      }
    }
    const key = { namespace: '', name: request.nodeName };
    await this.#registry.update(this.#nodes, key, (current) => {
      mayClaim(current);
      const annotations = { ...current.metadata.annotations, ...claims };
      return { ...current, metadata: { ...current.metadata, annotations } };
    });
  }

  #answer(nodeName: string, certificate: string): EnrolmentAnswer {
    return {
      nodeName,
      clusterId: this.#authority.clusterId,
      certificate,
      lifetimeSeconds: NODE_CERTIFICATE_LIFETIME_MS / 1000,
      ca: this.#authority.ca,
      masterSigningKey: this.#authority.signingPublicKey,
      broker: this.#broker(),
    };
  }
}

function checkRequest(request: EnrolmentRequest): void {
  const { nodeName } = request;
  if (!NODE_NAME.test(nodeName) || nodeName.length > MAX_NODE_NAME_LENGTH) {
    throw badRequest(
      `"${shownText(nodeName)}" cannot be a node's name: it takes lower case letters, digits, "-" and ".", begins and ends with a letter or digit, and has at most 253 characters`,
    );
  }
  const refusal = request.release && releaseRefusal(SKERRY_VERSION, request.release);
  if (refusal) throw badRequest(refusal);
  checkKey('signing key', 'Ed25519', request.signingKey);
  checkKey('sealing key', 'X25519', request.sealingKey);
}

function hashOf({ nodeName, csr, signingKey, sealingKey }: EnrolmentRequest): string {
  return sha256(JSON.stringify([nodeName, csr, signingKey, sealingKey]));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function signingKeyOf(node: Node | undefined): string | undefined {
  return node?.metadata.annotations?.[SIGNING_KEY_ANNOTATION];
}

function checkKey(what: string, curve: 'Ed25519' | 'X25519', raw: string): void {
  const bytes = Buffer.from(raw, 'base64');
  if (bytes.length === 32 && bytes.toString('base64') === raw) {
    try {
      createPublicKey({
        key: { kty: 'OKP', crv: curve, x: bytes.toString('base64url') },
        format: 'jwk',
      });
      return;
    } catch {
      // Answered below.
    }
  }
  throw badRequest(`the ${what} is not a raw ${curve} public key in base64`);
}

function newNode(name: string, annotations: Record<string, string>): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    spec: {},
    status: {},
  };
}

function claimAnnotations(request: EnrolmentRequest, certificate: string): Record<string, string> {
  return {
    [TLS_KEY_ANNOTATION]: tlsKeySha256(certificate),
    [CERTIFICATE_END_ANNOTATION]: formatTime(Date.parse(new X509Certificate(certificate).validTo)),
    [SIGNING_KEY_ANNOTATION]: request.signingKey,
    [SEALING_KEY_ANNOTATION]: request.sealingKey,
  };
}
