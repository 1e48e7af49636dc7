import type { Container, Report } from "@dockhost/protocol";
import type { Connection } from "../backends/connection.ts";
import type { ReportListener } from "../backends/gateway.ts";
import type { Registry } from "../backends/registry.ts";
import type { Log } from "../observe/log.ts";
import type { InstanceRecord } from "../store/instances-store.ts";
import type { Store } from "../store/store.ts";
import { correct, hasOtherHostKey, hasTriple, isItsOwn } from "./container-truth.ts";
import type { InstanceCommands } from "./instance-commands.ts";
import type { News } from "./news.ts";
import type { Operations } from "./operations.ts";
import type { UnknownContainers } from "./unknown-containers.ts";

/** No create is under way for longer: a pull has 15 minutes, and the rest of it less. */
const CREATE_OVER_MS = 30 * 60_000;

interface Parts {
  store: Store;
  registry: Registry;
  operations: Operations;
  commands: InstanceCommands;
  unknown: UnknownContainers;
  news: News;
  log: Log;
}

/**
 * Corrects the records of a backend from what it reports. Levels, not edges: an inventory is the whole truth, a change
 * only makes it known sooner. A record that had a command under way when a report was told, or since, is left to that
 * command's reply, which is newer.
 */
export class Resync implements ReportListener {
  readonly #parts: Parts;
  readonly #shownAs = new WeakMap<Connection, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async seen({ backendId, remoteAddress, status }: Connection): Promise<void> {
    await this.#parts.store.backends.saw(backendId, { remoteAddress, status });
    this.#parts.news.backendsChanged();
  }

  /** Kept, and told to pages, when a backend is another than before to who looks at it; what it uses they read by themselves. */
  async "backend-status"(source: Connection): Promise<void> {
    const { docker, draining, capacity } = source.status ?? {};
    // The size of some file systems is never twice the same.
    const shown = JSON.stringify([docker, draining, { ...capacity, diskMiB: undefined }]);
    if (this.#shownAs.get(source) === shown) return;
    this.#shownAs.set(source, shown);
    await this.seen(source);
  }

  async inventory(source: Connection, { containers }: Report<"inventory">, toldAt: number): Promise<void> {
    if (!this.#parts.registry.isCurrent(source)) return;
    const records = await this.#parts.store.instances.ofBackend(source.backendId);
    const unknown = new Map(containers.filter(hasTriple).map((container) => [container.username, container]));
    for (const record of liveFirst(records)) {
      const container = unknown.get(record.username);
      if (await this.#settle(record, container, toldAt)) unknown.delete(record.username);
    }
    this.#tellUnknown(source.backendId, [...unknown.values()]);
  }

  async "container-changed"(
    source: Connection,
    { container, cause }: Report<"container-changed">,
    toldAt: number,
  ): Promise<void> {
    const { registry, store, unknown } = this.#parts;
    if (!registry.isCurrent(source) || !hasTriple(container)) return;
    const removed = cause.kind === "removed-by-hand";
    const records = liveFirst(await store.instances.ofUserOnBackend(container.username, source.backendId));
    const record = records.find((one) => one.state !== "gone" || one.containerId === container.containerId);
    if (removed) unknown.remove(source.backendId, container.containerId);
    if (!record) {
      if (!removed) this.#meetUnknown(source.backendId, container);
    } else if (!this.#parts.operations.anySince(toldAt, record.id)) {
      // A container that was moved has a new id; that its former one is removed says nothing of it.
      this.#suspectHostKey(record, container);
      if (!removed) await correct(store.instances, record, withCause(container, cause));
      else if (record.containerId === container.containerId) await correct(store.instances, record);
    }
  }

  "operation-progress"({ backendId }: Connection, progress: Report<"operation-progress">): Promise<void> {
    const { username, phase, current, total } = progress;
    this.#parts.log.debug({ backendId, ...progress }, "An operation is under way.");
    this.#parts.news.progress(username, { backendId, phase, current, total });
    return Promise.resolve();
  }

  #suspectHostKey(record: InstanceRecord, container: Container): void {
    if (!hasOtherHostKey(record, container)) return;
    this.#parts.log.warn(
      { backendId: record.backendId, instanceId: record.id },
      "A backend reports another host key for the same container: the one that was told stands.",
    );
  }

  /** Whether the container is this record's. */
  async #settle(record: InstanceRecord, container: Container | undefined, toldAt: number): Promise<boolean> {
    if (this.#parts.operations.anySince(toldAt, record.id)) return true;
    const own = container && isItsOwn(record, container) ? container : undefined;
    if (own) this.#suspectHostKey(record, own);
    if (record.state === "creating" && !own) await this.#settleCreate(record);
    else await correct(this.#parts.store.instances, record, own);
    return own !== undefined;
  }

  /** The backend may still be at it, or may never have heard of it: the same operation, sent again, tells. */
  async #settleCreate(record: InstanceRecord): Promise<void> {
    const { store, commands, log } = this.#parts;
    if (Date.now() - Date.parse(record.createdAt) > CREATE_OVER_MS) return store.instances.remove(record);
    commands.resumeCreate(record.id).catch((error: unknown) => {
      log.warn(
        { instanceId: record.id, problem: String(error) },
        "A create that was cut off did not come to an instance.",
      );
    });
  }

  #tellUnknown(backendId: string, containers: readonly Container[]): void {
    const ids = containers.map(({ containerId }) => containerId);
    this.#parts.unknown.replace(backendId, ids);
    if (ids.length > 0) {
      const usernames = containers.map(({ username }) => username);
      this.#parts.log.warn(
        { backendId, usernames },
        "A backend has containers that are on no record; they are left alone.",
      );
    }
  }

  #meetUnknown(backendId: string, { containerId, username }: Container): void {
    this.#parts.unknown.add(backendId, containerId);
    this.#parts.log.warn(
      { backendId, username, containerId },
      "A container that is on no record changed; it is left alone.",
    );
  }
}

/** What is gone has no claim on a container that a live record of the same user has. */
const liveFirst = (records: readonly InstanceRecord[]): InstanceRecord[] =>
  [...records].sort((one, other) => Number(one.state === "gone") - Number(other.state === "gone"));

/** The cause knows the exit of a container that died, where the container itself does not say it. */
function withCause(container: Container, cause: Report<"container-changed">["cause"]): Container {
  if (cause.kind !== "died" || container.state === "running") return container;
  return { exitCode: cause.exitCode, oomKilled: cause.oomKilled, ...container };
}
