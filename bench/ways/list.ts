import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { timed, type Timed } from "../interleave.ts";
import { OURS, RAW } from "../titles.ts";

/** The backend's list of its containers, and the Engine's own of the same; each must tell all of them. */
export async function listWays(bed: TestBed, backend: BackendProcess, containers: number): Promise<Timed[]> {
  const labels = ["dockhost.managed", await bed.backendLabel()];
  const ours = async () => (await backend.command("list-containers", {})).containers;
  const theirs = async () => (await bed.engine.list(labels)).filter(({ Names }) => Names.some(isUsers));
  const ways = [
    { name: OURS, list: ours },
    { name: RAW, list: theirs },
  ];
  return ways.map(({ name, list }) => ({ name, round: async () => [await timed(() => complete(list, containers))] }));
}

/** A slot that stands ready is nobody's. */
const isUsers = (name: string): boolean => name.startsWith("/dockhost-");

async function complete(list: () => Promise<readonly unknown[]>, containers: number): Promise<void> {
  const { length } = await list();
  if (length !== containers) throw new Error(`The list tells ${length} containers in place of ${containers}.`);
}
