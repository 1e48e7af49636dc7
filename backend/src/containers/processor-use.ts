import { cpus } from "node:os";

/** Over less, the figure would say more of the moment than of the machine, ms. */
const SHORTEST_MS = 1_000;

/** What the processors have done since the machine's start, ms, all of them together. */
export interface ProcessorTimes {
  busy: number;
  idle: number;
}

/** How busy the whole machine's processors are, between two readings. */
export class ProcessorUse {
  readonly #times: () => ProcessorTimes;
  readonly #now: () => number;
  #before: ProcessorTimes;
  #readAt: number;
  #percent: number | undefined;

  constructor(times: () => ProcessorTimes = timesOfThisMachine, now: () => number = () => performance.now()) {
    this.#times = times;
    this.#now = now;
    this.#before = times();
    this.#readAt = now();
  }

  /** 0 to 100, since the reading before; undefined in the first second. */
  percent(): number | undefined {
    if (this.#now() - this.#readAt < SHORTEST_MS) return this.#percent;
    const { busy, idle } = this.#times();
    const worked = busy - this.#before.busy;
    const passed = worked + idle - this.#before.idle;
    // A processor that was taken away takes its times with it.
    if (passed > 0) this.#percent = round(Math.min(100, Math.max(0, (100 * worked) / passed)));
    this.#before = { busy, idle };
    this.#readAt = this.#now();
    return this.#percent;
  }
}

function timesOfThisMachine(): ProcessorTimes {
  const sum: ProcessorTimes = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    sum.busy += times.user + times.nice + times.sys + times.irq;
    sum.idle += times.idle;
  }
  return sum;
}

const round = (percent: number): number => Math.round(percent * 10) / 10;
