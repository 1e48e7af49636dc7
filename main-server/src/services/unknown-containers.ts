/** No machine has ports for more; a backend that tells of more makes them up. */
const MAX_ON_ONE_BACKEND = 21_845;

/** Containers that backends report and that are on no record of ours: counted, never touched. */
export class UnknownContainers {
  readonly #byBackend = new Map<string, Set<string>>();

  replace(backendId: string, containerIds: readonly string[]): void {
    this.#byBackend.set(backendId, new Set(containerIds));
  }

  add(backendId: string, containerId: string): void {
    const known = this.#on(backendId);
    if (known.size < MAX_ON_ONE_BACKEND) this.#byBackend.set(backendId, known.add(containerId));
  }

  remove(backendId: string, containerId: string): void {
    this.#byBackend.get(backendId)?.delete(containerId);
  }

  countOn(backendId: string): number {
    return this.#on(backendId).size;
  }

  #on(backendId: string): Set<string> {
    return this.#byBackend.get(backendId) ?? new Set();
  }
}
