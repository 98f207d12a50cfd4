import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Registry } from '../store/registry.ts';
import type { User } from './authenticate.ts';
import type { NodeEnrolment } from './node-enrolment.ts';
import type { NodeStreams } from './node-streams.ts';
import type { OpenApiDocuments } from './output/openapi-documents.ts';
import type { EventLines } from './output/watch-printer.ts';
import type { ResourceRequest } from './request-info.ts';

/** A condition of /livez and /readyz; `failure` is undefined while all is well, else one short sentence. */
export interface HealthCheck {
  name: string;
  failure(): string | undefined;
}

/** What the request handlers may use of the rest of the master; handed over by main.ts. */
export interface ApiParts {
  registry: Registry;
  kinds: readonly ResourceKind[];
  clock: Clock;
  logger: Logger;
  /** The version of the package, for /version: `0.1.0`. */
  version: string;
  /** The cluster's CA certificate, for GET /skerry/v1/ca. */
  caPem: string;
  nodeStreams: NodeStreams;
  enrolment: NodeEnrolment;
  healthChecks: readonly HealthCheck[];
  openApi: Pick<OpenApiDocuments, 'get'>;
}

/** One request with its response, after authentication. */
export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  query: URLSearchParams;
  user: User | undefined;
  parts: ApiParts;
  eventLines: EventLines;
}

/** An exchange about objects of one kind. */
export interface ResourceExchange extends Exchange {
  info: ResourceRequest;
  kind: ResourceKind;
}

export type Handler<E extends Exchange = ResourceExchange> = (exchange: E) => Promise<void> | void;
