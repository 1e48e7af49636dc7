/** One of the ways to come by a container whose SSH answers. */
export interface Way {
  readonly name: string;
  /** Makes ready, outside the time that is measured. */
  prepare(): Promise<Attempt>;
}

export interface Attempt {
  /** Resolves when the SSH banner has been read. */
  create(): Promise<unknown>;
  remove(): Promise<unknown>;
}
