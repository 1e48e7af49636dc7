/** What the bench asks of the process of its fake backends, and what that answers. */
export interface Orders {
  /** Connects so many; answered when all are connected. */
  connect: { request: { url: string; backends: number }; answer: null };
  /** Stops or starts one container of each, unasked and untold. */
  flip: { request: { slot: number }; answer: null };
  /** Which containers each has stopped, one bit for each. */
  stopped: { request: Record<string, never>; answer: number[] };
  /** Says nothing by itself until the next load, and clears its memory up: it is not in the way of another fleet. */
  rest: { request: Record<string, never>; answer: null };
  load: { request: LoadRequest; answer: LoadFigures };
}

export interface LoadRequest {
  /** At the same pace before it, unmeasured. */
  leadInSeconds: number;
  seconds: number;
  /** Starts and stops, spread over all connected backends. */
  commandsPerSecond: number;
  /** Lists of a user's 50 instances. */
  listsPerSecond: number;
}

export interface LoadFigures {
  /** Of each command and each list, from the moment at which it was due until its answer, ms. */
  commands: number[];
  lists: number[];
  /** Answers that were no success, the first of them in words. */
  failures: string[];
}

export type OrderName = keyof Orders;
