import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { BackendProcess } from "../backend-process.ts";
import { allEnded } from "../batch.ts";
import { LOG_FILE, type TestBed } from "../bed.ts";
import { Inspector, INSPECTED } from "../inspector.ts";
import { circumstances, type Measured, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { afterCommands, COMMANDS, TITLES } from "../titles.ts";
import { newUsername } from "../ways/dockhost.ts";

const COMMANDS_PER_SAMPLE = 500;
/** Until what is loaded or compiled at the first use of it is there. */
const FIRST_LOOK_AFTER = 500;
const LATER_LOOKS = 4;
/** The contract lets 50 commands a second in; a few of them at a time. */
const PACE_MS = 21;
const LANES = 4;
const USERS = 4;
/** One in so many comes and goes; the other commands are about users who stay. */
const COMES_AND_GOES_EVERY = 100;
const SETTLING_MS = 1_500;
const REMARK =
  "Creates, deletes, new keys, starts and lists, each with an operation's id. Part of what grows is meant to: the record of each operation of the last 24 hours, by which a retry executes nothing.";

/** What is left in the backend's memory by thousands of commands. */
export async function measureGrowth(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  await using backend = await bed.startBackend({ nodeFlags: INSPECTED });
  using inspector = await Inspector.attach(LOG_FILE);
  const load = new Load(bed, backend);
  await load.begin();
  const total = Math.min(COMMANDS, bed.options.samples * COMMANDS_PER_SAMPLE);
  const looks = Array.from({ length: LATER_LOOKS }, (_, look) => Math.round(((look + 1) * total) / LATER_LOOKS));
  const onDone = progress.of("Commands");
  const found: Measured[] = [];
  for (const commands of [...new Set([Math.min(FIRST_LOOK_AFTER, total), ...looks])].sort((a, b) => a - b)) {
    await load.serveUpTo(commands);
    onDone(commands, total);
    await delay(SETTLING_MS, undefined, { signal: bed.signal });
    found.push({ name: afterCommands(commands), rounds: [[await inspector.heapMiB()]] });
  }
  return [{ ...circumstances(TITLES.heap, "MiB", found), remark: REMARK }];
}

/** Commands as a busy main server sends them, at a steady pace. */
class Load {
  readonly #bed: TestBed;
  readonly #backend: BackendProcess;
  readonly #users = Array.from({ length: USERS }, newUsername);
  #next = 0;

  constructor(bed: TestBed, backend: BackendProcess) {
    this.#bed = bed;
    this.#backend = backend;
  }

  async begin(): Promise<void> {
    for (const username of this.#users) await this.#create(username);
  }

  async serveUpTo(commands: number): Promise<void> {
    const begin = performance.now() - this.#next * PACE_MS;
    await allEnded(Array.from({ length: LANES }, () => this.#lane(commands, begin)));
  }

  async #lane(end: number, begin: number): Promise<void> {
    while (this.#next < end) {
      const number = this.#next;
      this.#next += 1;
      const wait = begin + number * PACE_MS - performance.now();
      await delay(Math.max(0, wait), undefined, { signal: this.#bed.signal });
      await this.#send(number);
    }
  }

  async #send(number: number): Promise<void> {
    const username = this.#users[number % USERS] ?? "";
    const operationId = randomUUID();
    const sshPublicKeys = [this.#bed.sshPublicKey];
    const staying = [
      () => this.#backend.command("list-containers", { username }),
      () => this.#backend.command("set-ssh-keys", { username, sshPublicKeys, operationId }),
      () => this.#backend.command("start-container", { username, operationId }),
    ];
    if (number % COMES_AND_GOES_EVERY === 0) await this.#comeAndGo();
    else await staying[number % staying.length]?.();
  }

  /** Two commands in the place of two. */
  async #comeAndGo(): Promise<void> {
    this.#next += 1;
    const username = newUsername();
    await this.#create(username);
    await this.#backend.command("delete-container", { username, operationId: randomUUID() });
  }

  async #create(username: string): Promise<void> {
    const { sshPublicKey } = this.#bed;
    await this.#backend.command("create-container", { username, sshPublicKey, operationId: randomUUID() });
  }
}
