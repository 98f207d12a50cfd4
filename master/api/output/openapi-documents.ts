import { readFile } from 'node:fs/promises';

export interface OpenApiResponse {
  contentType: string;
  /** Quoted, as the header has it. */
  etag: string;
  /** The body, compressed with gzip. */
  gzipped: Buffer;
}

/** What the directory of documents holds: for each path its forms, each with its file and the hash of its bytes. */
export type OpenApiIndex = Record<
  string,
  { json?: { file: string; hash: string }; protobuf?: { file: string; hash: string } }
>;

/** The name of the index file in the directory. */
export const OPENAPI_INDEX = 'index.json';

/**
 * What a protobuf document is called. The form with `@v1.0`, which clients ask for, is not a media type to Go's parser: kubectl
 * up to 1.28 fails on it (kube-openapi #354).
 */
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * Serves the documents that `writeOpenApiDocuments` left in a directory. Each is read from disk when it is asked for: clients
 * keep what they got, and the documents would be the largest thing in memory. Of the index only the small table stays.
 */
export class OpenApiDocuments {
  private readonly directory: string;
  private index: Promise<OpenApiIndex> | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * @param path as in the request, without the query: `/openapi/v3`, `/openapi/v3/apis/apps/v1`, `/openapi/v2`
   * @param accept the Accept header; protobuf is the answer where a client names it first and a document has that form
   * @returns undefined when there is no such document, or none was built
   */
  async get(path: string, accept: string): Promise<OpenApiResponse | undefined> {
    const forms = (await this.readIndex())[path.replace(/\/$/, '')];
    if (forms === undefined) return undefined;
    const protobuf = wantsProtobuf(accept) ? forms.protobuf : undefined;
    const form = protobuf ?? forms.json;
    if (form === undefined) return undefined;
    return {
      contentType: protobuf === undefined ? 'application/json' : PROTOBUF_TYPE,
      etag: `"${form.hash}"`,
      gzipped: await readFile(`${this.directory}/${form.file}`),
    };
  }

  private readIndex(): Promise<OpenApiIndex> {
    this.index ??= readFile(`${this.directory}/${OPENAPI_INDEX}`, 'utf8').then(
      (text) => JSON.parse(text) as OpenApiIndex,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return {};
        this.index = undefined;
        throw error;
      },
    );
    return this.index;
  }
}

function wantsProtobuf(accept: string): boolean {
  const first = accept.split(',').find((type) => /proto-openapi|json|\*\//.test(type));
  return first?.includes('proto-openapi') ?? false;
}
