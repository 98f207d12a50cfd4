/** Group, version and kind of an object; a row of the catalog is one. The core group is ''. */
export interface Gvk {
  group: string;
  version: string;
  kind: string;
}
