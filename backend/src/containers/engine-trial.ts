import { randomBytes } from "node:crypto";
import type { Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import type { EngineAbilities, Profile } from "./container-spec.ts";
import { probeEngine } from "./engine-probe.ts";
import type { PresentImage } from "./images.ts";
import type { SlotsUnderWay } from "./slots-under-way.ts";

interface EngineTrialParts {
  engine: Engine;
  slotsUnderWay: SlotsUnderWay;
  backendId: string;
  profile: Profile;
  log: Log;
}

/** What this Engine honours, tried out once and again after each of its restarts. */
export class EngineTrial {
  readonly #parts: EngineTrialParts;
  #found: Promise<EngineAbilities> | undefined;
  #known: EngineAbilities | undefined;

  constructor(parts: EngineTrialParts) {
    this.#parts = parts;
  }

  /** Undefined until a create or the start has tried this Engine out. */
  get known(): EngineAbilities | undefined {
    return this.#known;
  }

  /** Tried out with `image` where it has not been yet. */
  async abilities(image: PresentImage): Promise<EngineAbilities> {
    this.#found ??= this.#probe(image);
    return this.#found;
  }

  /** Tries the Engine out anew; until that is done, what was known before counts. */
  async repeat(image: PresentImage): Promise<void> {
    this.#found ??= this.#probe(image);
    const before = this.#known;
    await this.#found;
    if (before) this.#found = Promise.resolve(await this.#probe(image));
  }

  async #probe(image: PresentImage): Promise<EngineAbilities> {
    const { engine, slotsUnderWay, backendId, profile, log } = this.#parts;
    const slot = `probe-${randomBytes(8).toString("hex")}`;
    slotsUnderWay.add(slot);
    try {
      this.#known = await probeEngine(engine, image, { slot, backendId }, profile);
      if (!this.#known.diskQuota) {
        log.warn({}, "This Engine enforces no disk quota; creates are refused when free disk runs low instead");
      }
      return this.#known;
    } catch (error) {
      this.#found = undefined;
      throw error;
    } finally {
      slotsUnderWay.delete(slot);
    }
  }
}
