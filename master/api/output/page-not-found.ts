/** A path that no group version and no other handler serves: Kubernetes answers these with a line of text, not with a Status. */
export class PageNotFound extends Error {
  static readonly TEXT = '404 page not found\n';

  constructor() {
    super('404 page not found');
    this.name = 'PageNotFound';
  }
}
