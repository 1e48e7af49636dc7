import { RAW } from "../titles.ts";
import type { EngineApi } from "./engine-api.ts";
import type { PortRange } from "./port-range.ts";
import { profileAt, type Profile } from "./profile.ts";
import { sshBanner } from "./ssh-banner.ts";
import type { Attempt, Way } from "./way.ts";

export interface BaselineParts {
  engine: EngineApi;
  profile: Profile;
  ports: PortRange;
  /** A directory with an `authorized_keys`, in the place of a slot's. */
  keys: string;
  /** Every container of this run of the bench bears it. */
  label: { name: string; value: string };
}

/** The least that can be done: two calls of the Engine API, then the banner. */
export class RawEngine implements Way {
  readonly name = RAW;
  readonly #parts: BaselineParts;

  constructor(parts: BaselineParts) {
    this.#parts = parts;
  }

  async prepare(): Promise<Attempt> {
    const { engine, profile, ports, keys, label } = this.#parts;
    const base = await ports.triple();
    const { image, hostname, exposedPorts, hostConfig } = profileAt(profile, base, keys);
    const body = {
      Image: image,
      Hostname: hostname,
      ExposedPorts: exposedPorts,
      Labels: { [label.name]: label.value },
      HostConfig: hostConfig,
    };
    let id = "";
    return {
      async create() {
        ({ Id: id } = await engine.call<{ Id: string }>("POST", "/containers/create", body));
        await engine.call("POST", `/containers/${id}/start`);
        await sshBanner(base);
      },
      remove: () => engine.remove(id),
    };
  }
}
