/** A report that the node may not make, or that makes no sense: settled, and the node is told. */
export class RefusedReport extends Error {}
