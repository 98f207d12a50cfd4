export interface OpenApiResponse {
  contentType: string;
  /** Quoted, as the header has it. */
  etag: string;
  /** The body, compressed with gzip. */
  gzipped: Buffer;
}

/** Serves the documents that `writeOpenApiDocuments` left in a directory, reading each from disk when asked. */
export class OpenApiDocuments {
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** `path` as in the request, without query: `/openapi/v3/apis/apps/v1`. */
  async get(_path: string, _accept: string): Promise<OpenApiResponse | undefined> {
    void this.directory;
    return undefined;
  }
}
