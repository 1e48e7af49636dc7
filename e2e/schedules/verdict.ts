import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Container } from "@dockhost/protocol";
import type { Excuses } from "./excuses.ts";
import { isTheSame, type Possible } from "./histories.ts";
import { Model, USERS } from "./model.ts";
import { Ruin, type Loss } from "./ruin.ts";
import { seen } from "./replies.ts";
import { carryOut, expectDistinct } from "./steps.ts";
import type { World } from "./world.ts";

/** The backend sweeps every 30 s; a busy machine needs some more, ms. */
const SETTLES_WITHIN_MS = 60_000;
/** For a backend that has just found its Engine again, ms. */
const RETRIES_MS = 30_000;

const OF_THE_ENGINE = ["bridge", "dockhost", "host", "none"];
const OF_THE_BACKEND = ["backend.id", "draining", "engine-trial.json", "lock", "operations.log", "slots"];

/** Heals everything and looks what there is; throws a Ruin where that is not what was promised. Leaves nothing. */
export async function judge(model: Model, world: World): Promise<void> {
  await world.heal();
  await Promise.all(USERS.map((username) => retryWhatIsInDoubt(username, model, world)));
  const containers = await settled(() => difference(model, world), world);
  await Promise.all(containers.map((container) => expectHers(container, model, world)));
  await leaveNothing(world);
}

/** A retry tells what has become of an operation, as often as it is asked. */
async function retryWhatIsInDoubt(username: string, model: Model, world: World): Promise<void> {
  const { last } = model.of(username);
  if (!last?.inDoubt) return;
  const until = performance.now() + RETRIES_MS;
  while (performance.now() < until) {
    const outcome = await world.excuses.during("engine", () => carryOut(last.operation, world));
    model.learn(username, [[last.operation, outcome]], world.excuses);
    if (outcome.kind === "success" || outcome.kind === "refused") return;
    await delay(200);
  }
  throw new Ruin("hung", `${username}'s ${last.operation.change} gets no clear reply after everything is healed`);
}

type Difference = { loss: Loss; words: string } | readonly Container[];

async function settled(look: () => Promise<Difference>, world: World): Promise<readonly Container[]> {
  const until = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const found = await look();
    if (!("loss" in found)) return found;
    if (performance.now() > until)
      throw new Ruin(found.loss, `${found.words}\n${(await world.evidence.containerNames()).join(" ")}`);
    await delay(250);
  }
}

/** What is not as promised; all containers where everything is. */
async function difference(model: Model, world: World): Promise<Difference> {
  const reply = await world.insist("list-containers", {});
  if (!reply?.success) return { loss: "hung", words: "the backend does not list its containers" };
  const { containers } = reply.data;
  expectDistinct(containers);
  const running = containers.filter(({ state }) => state === "running");
  const leaked = world.excuses.engineMayLeak ? await world.evidence.portsHeldForNobody(running) : new Set<number>();
  for (const [username, { possible }] of model.users) {
    const found = containers.find((container) => container.username === username);
    if (!possible.some((one) => fits(one, found, leaked, world.excuses))) {
      const loss = found && possible.every(({ container }) => !container) ? "orphaned" : "lost";
      return { loss, words: `${username} has ${JSON.stringify(found)}, and was promised ${JSON.stringify(possible)}` };
    }
  }
  return (await orphan(containers, world)) ?? containers;
}

/** A container whose ports the Engine itself keeps from it does not run until its user starts it. */
function fits(
  { container }: Possible,
  found: Container | undefined,
  leaked: ReadonlySet<number>,
  { mayMove }: Pick<Excuses, "mayMove">,
): boolean {
  if (!container || !found) return !container && !found;
  const isKeptDown = found.state !== "running" && Object.values(found.ports).some((port) => leaked.has(port));
  const asPromised = found.state === (container.runs ? "running" : "stopped");
  return (asPromised || isKeptDown) && isTheSame(container.seen, seen(found), mayMove);
}

/** Whatever there is beside these containers. */
async function orphan(containers: readonly Container[], world: World): Promise<Difference | undefined> {
  const [names, images, networks, files] = await Promise.all([
    world.evidence.containerNames(),
    world.evidence.unusedImages(),
    world.machine.engineApi.networks(),
    world.evidence.files(),
  ]);
  const known = new Set(containers.map(({ username }) => `dockhost-${username}`));
  const spare = names.filter((name) => name.startsWith("dockhost.slot."));
  const expected = containers.length + spare.length;
  const orphans = [
    ...names.filter((name) => !known.has(name) && !spare.includes(name)),
    // The backend tells how many it keeps ready; any other that has no name is nobody's.
    ...(spare.length === world.evidence.warmSlots ? [] : spare),
    ...images,
    ...networks.filter((name) => !OF_THE_ENGINE.includes(name)),
    ...files.own.filter((name) => !OF_THE_BACKEND.includes(name)),
    ...(files.slots.length > expected ? files.slots.map((slot) => `one of the directories ${slot}`) : []),
  ];
  return orphans.length === 0 ? undefined : { loss: "orphaned", words: `nobody knows ${orphans.join(", ")}` };
}

/** Her key logs in, and her file is there: by a real login, after a start where the container rests. */
async function expectHers(container: Container, model: Model, world: World): Promise<void> {
  const { username } = container;
  const { possible } = model.of(username);
  const now = await started(container, world);
  const logins = await Promise.all(
    [...new Set(possible.flatMap((one) => one.container?.key ?? []))].map((key) => world.login(now, key, "cat mark")),
  );
  const login = logins.find(({ stderr }) => !stderr.includes("Permission denied") && !stderr.includes("onnection"));
  if (!login) throw new Ruin("lost", `no key logs in to ${username}'s container: ${JSON.stringify(logins)}`);
  const mark = login.stdout.trim();
  const births = possible.flatMap((one) => one.container?.born ?? []);
  if (births.some((born) => born === mark || (!model.marked.has(born) && mark === ""))) return;
  throw new Ruin("lost", `${username}'s file says "${mark}", not one of ${births.join(", ")}: ${login.stderr}`);
}

async function started(container: Container, world: World) {
  const { username } = container;
  const before = seen(container);
  const reply = await world.insist("start-container", { username });
  if (!reply?.success) throw new Ruin("lost", `${username}'s container does not start: ${JSON.stringify(reply)}`);
  const now = seen(reply.data);
  if (!isTheSame(before, now, world.excuses.mayMove)) {
    throw new Ruin("lost", `${username}'s container was ${JSON.stringify(before)} and is now ${JSON.stringify(now)}`);
  }
  return now;
}

/** Everyone deletes; then the first triple is the next to be given. */
async function leaveNothing(world: World): Promise<void> {
  const [username, sshPublicKeys] = ["last", [world.key("red").publicKey]];
  await Promise.all(USERS.map((name) => removed(name, world)));
  const operationId = randomUUID();
  const reply = await world.insist("create-container", { username, sshPublicKeys, operationId });
  if (!reply?.success) throw new Ruin("hung", `a new user gets no container: ${JSON.stringify(reply)}`);
  if (!world.excuses.mayPassOver(world.firstPort) && reply.data.ports.ssh !== world.firstPort) {
    throw new Ruin("orphaned", `the first triple is not given again, but ${reply.data.ports.ssh}`);
  }
  await removed(username, world);
  await settled(() => difference(new Model(), world), world);
}

async function removed(username: string, world: World): Promise<void> {
  const reply = await world.insist("delete-container", { username });
  if (!reply?.success) throw new Ruin("hung", `${username}'s container cannot be deleted: ${JSON.stringify(reply)}`);
}
