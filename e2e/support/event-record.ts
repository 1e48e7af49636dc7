import type { Report, ReportName } from "@dockhost/protocol";
import { REPORTS } from "@dockhost/protocol";

export interface RecordedEvent {
  readonly name: string;
  readonly payload: unknown;
}

interface Waiting {
  readonly matches: (event: RecordedEvent) => boolean;
  readonly resolve: (event: RecordedEvent) => void;
}

/** Everything a backend has said on one connection, and who waits for it to say something. */
export class EventRecord {
  readonly all: RecordedEvent[] = [];
  readonly #waiting = new Set<Waiting>();

  add(name: string, payload: unknown): void {
    const event = { name, payload };
    this.all.push(event);
    for (const waiting of this.#waiting) {
      if (!waiting.matches(event)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(event);
    }
  }

  named(name: string): unknown[] {
    return this.all.filter((event) => event.name === name).map(({ payload }) => payload);
  }

  /** Every report of that name so far; throws where one breaks the contract. */
  reports<Name extends ReportName>(name: Name): Report<Name>[] {
    return this.named(name).map((payload) => REPORTS[name].parse(payload) as Report<Name>);
  }

  /** The newest report of that name; undefined where there was none yet. */
  latest<Name extends ReportName>(name: Name): Report<Name> | undefined {
    return this.reports(name).at(-1);
  }

  /** The first report of that name that matches, said already or still to come. */
  async report<Name extends ReportName>(
    name: Name,
    matches: (report: Report<Name>) => boolean = () => true,
    withinMs = 60_000,
  ): Promise<Report<Name>> {
    const parse = (payload: unknown) => REPORTS[name].parse(payload) as Report<Name>;
    const event = await this.first(name, (payload) => matches(parse(payload)), withinMs);
    return parse(event.payload);
  }

  /** The first event of that name whose payload matches, said already or still to come. */
  first(name: string, matches: (payload: unknown) => boolean = () => true, withinMs = 60_000): Promise<RecordedEvent> {
    const fits = (event: RecordedEvent) => event.name === name && matches(event.payload);
    const said = this.all.find(fits);
    if (said) return Promise.resolve(said);
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(new Error(`no such ${name} within ${withinMs} ms; heard: ${JSON.stringify(this.all).slice(0, 2_000)}`));
      }, withinMs);
      const waiting: Waiting = {
        matches: fits,
        resolve: (event) => {
          clearTimeout(tooLate);
          resolve(event);
        },
      };
      this.#waiting.add(waiting);
    });
  }
}
