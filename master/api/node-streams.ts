/** The options of GET pods/{name}/log that travel to the node (PodLogOptions). */
export interface LogRequest {
  namespace: string;
  pod: string;
  uid: string;
  container: string;
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  sinceSeconds?: number;
  /** RFC 3339. */
  sinceTime?: string;
  tailLines?: number;
  limitBytes?: number;
}

/** What api/ needs of the fleet: streams from a node, over the node's own connection. Handed over by main.ts. */
export interface NodeStreams {
  /**
   * The log as it comes. Throws ApiError before the first chunk: NotFound (no such container or log), BadRequest (container
   * waiting), ServiceUnavailable (node not connected). Ends when the log does, or `signal` aborts.
   */
  logs(node: string, request: LogRequest, signal: AbortSignal): AsyncIterable<Buffer>;
}
