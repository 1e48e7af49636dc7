import { setTimeout as delay } from "node:timers/promises";
import { databaseFile, openFile } from "../../main-server/src/store/database.ts";
import { CONTAINERS_EACH, instanceIdOf } from "./population.ts";

const LOOK_EVERY_MS = 200;

/**
 * Resolves when the store of `dataDir` says of every instance what its backend says; `stopped` has a bit for each container
 * of each backend. Throws where that takes longer than `patienceMs`.
 */
export async function recordsAreRight(dataDir: string, stopped: readonly number[], patienceMs: number): Promise<void> {
  const database = await openFile(databaseFile(dataDir));
  try {
    const all = database.selectFrom("instances").select(["id", "state"]);
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const wrong = countWrong(await all.execute(), stopped);
      if (wrong === 0) return;
      if (performance.now() > deadline) throw new Error(`${wrong} records are still wrong after ${patienceMs} ms.`);
      await delay(LOOK_EVERY_MS);
    }
  } finally {
    await database.destroy();
  }
}

interface InstanceRow {
  id: string;
  state: string;
}

function countWrong(rows: readonly InstanceRow[], stopped: readonly number[]): number {
  const states = new Map(rows.map(({ id, state }) => [id, state]));
  let wrong = 0;
  for (const [backend, bits] of stopped.entries()) {
    for (let slot = 0; slot < CONTAINERS_EACH; slot++) {
      const expected = (bits >> slot) & 1 ? "stopped" : "running";
      if (states.get(instanceIdOf(backend, slot)) !== expected) wrong++;
    }
  }
  return wrong;
}
