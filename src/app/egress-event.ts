// What is told of a request that an app made to somewhere else.

/** One request of an app to somewhere else. Neither headers, nor bodies, nor query: those are where secrets travel. */
export interface EgressEvent {
  readonly atMs: number;
  readonly facet: string;
  readonly deployNumber: number;
  readonly method: string;
  /** With its port, where the URL had one. */
  readonly host: string;
  readonly path: string;
  /** undefined: it did not come to an answer. */
  readonly status: number | undefined;
  /** Why it was refused or failed. */
  readonly reason: string | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}
