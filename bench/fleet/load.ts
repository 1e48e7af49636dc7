import { setTimeout as delay } from "node:timers/promises";
import type { LoadFigures, LoadRequest } from "./orders.ts";
import { CONTAINERS_EACH, instanceIdOf, INSTANCES_OF_A_USER, usernameOf } from "./population.ts";
import type { RestClient } from "./rest-client.ts";

const TICK_MS = 1;
const MAX_FAILURES = 5;

/**
 * Sends commands and lists at a steady pace for a while, whether or not those before are answered: a server that falls
 * behind is not spared.
 */
export async function runLoad(
  client: RestClient,
  { leadInSeconds, seconds, commandsPerSecond, listsPerSecond }: LoadRequest,
  backends: number,
): Promise<LoadFigures> {
  const figures: LoadFigures = { commands: [], lists: [], failures: [] };
  const all = leadInSeconds + seconds;
  const countedFrom = performance.now() + leadInSeconds * 1000;
  const count = (times: number[], due: number) => {
    if (due >= countedFrom) times.push(performance.now() - due);
  };
  const fail = (reason: unknown) =>
    figures.failures.length < MAX_FAILURES &&
    figures.failures.push(reason instanceof Error ? reason.message : String(reason));
  const commands = paced(commandsPerSecond, all, async (due, number) => {
    const [backend, slot] = [number % backends, Math.floor(Math.random() * CONTAINERS_EACH)];
    const verb = Math.random() < 0.5 ? "start" : "stop";
    const path = `/api/instances/${instanceIdOf(backend, slot)}/${verb}`;
    await client.send("POST", path, usernameOf(backend, slot)).then(() => count(figures.commands, due), fail);
  });
  const groups = Math.ceil(backends / INSTANCES_OF_A_USER);
  const lists = paced(listsPerSecond, all, async (due, number) => {
    const user = usernameOf((number % groups) * INSTANCES_OF_A_USER, number % CONTAINERS_EACH);
    await client.send("GET", "/api/instances?limit=50", user).then(() => count(figures.lists, due), fail);
  });
  await Promise.all([commands, lists]);
  return figures;
}

/** Begins `work` so many times a second, spread evenly; resolves when all have ended. */
async function paced(
  perSecond: number,
  seconds: number,
  work: (due: number, number: number) => Promise<unknown>,
): Promise<void> {
  const begin = performance.now();
  const underWay: Promise<unknown>[] = [];
  for (let number = 0; number < perSecond * seconds; number++) {
    const due = begin + (number / perSecond) * 1000;
    while (performance.now() < due) await delay(TICK_MS);
    underWay.push(work(due, number));
  }
  await Promise.all(underWay);
}
