import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
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
  dataDirectory: string;
  profile: Profile;
  log: Log;
}

/** What a trial has shown, and what it was a trial of. */
const Remembered = z.object({ of: z.string(), diskQuota: z.boolean(), openFilesLimit: z.boolean() });

/**
 * What this Engine honours: tried out once after each of its starts, and kept as the file `engine-trial.json` of the data
 * directory, so that a backend that comes back finds out by reading. A file that cannot be read costs a trial.
 */
export class EngineTrial {
  readonly #parts: EngineTrialParts;
  #found: Promise<EngineAbilities> | undefined;
  #known: EngineAbilities | undefined;

  constructor(parts: EngineTrialParts) {
    this.#parts = parts;
  }

  /** Undefined until a create or the start has found out. */
  get known(): EngineAbilities | undefined {
    return this.#known;
  }

  /** Found out with `image` where it has not been yet. */
  async abilities(image: PresentImage): Promise<EngineAbilities> {
    this.#found ??= this.#find(image);
    return this.#found;
  }

  /** Finds out anew, as the Engine may have been started anew; until that is done, what was known before counts. */
  async repeat(image: PresentImage): Promise<void> {
    this.#found ??= this.#find(image);
    const before = this.#known;
    await this.#found;
    if (before) this.#found = Promise.resolve(await this.#find(image));
  }

  async #find(image: PresentImage): Promise<EngineAbilities> {
    const { engine, log, profile } = this.#parts;
    try {
      const { startId } = await engine.info();
      const of = startId === undefined ? undefined : JSON.stringify([startId, profile.runtime]);
      this.#known = (await this.#remembered(of)) ?? (await this.#tryOut(image, of));
      if (!this.#known.diskQuota) {
        log.warn({}, "This Engine enforces no disk quota; creates are refused when free disk runs low instead");
      }
      return this.#known;
    } catch (error) {
      this.#found = undefined;
      throw error;
    }
  }

  async #remembered(of: string | undefined): Promise<EngineAbilities | undefined> {
    try {
      const { of: tried, ...abilities } = Remembered.parse(JSON.parse(await readFile(this.#file, "utf8")));
      return tried === of ? abilities : undefined;
    } catch {
      return undefined;
    }
  }

  async #tryOut(image: PresentImage, of: string | undefined): Promise<EngineAbilities> {
    const { engine, slotsUnderWay, backendId, profile } = this.#parts;
    const slot = `probe-${randomBytes(8).toString("hex")}`;
    slotsUnderWay.add(slot);
    try {
      const abilities = await probeEngine(engine, image, { slot, backendId }, profile);
      if (of !== undefined) await this.#remember({ of, ...abilities });
      return abilities;
    } finally {
      slotsUnderWay.delete(slot);
    }
  }

  /** A disk without room for it is in nobody's way here. */
  async #remember(shown: z.infer<typeof Remembered>): Promise<void> {
    await writeFile(this.#file, JSON.stringify(shown), { mode: 0o600 }).catch((error: unknown) =>
      this.#parts.log.debug(
        { error },
        "What the Engine honours could not be written down; the next start tries it out",
      ),
    );
  }

  get #file(): string {
    return join(this.#parts.dataDirectory, "engine-trial.json");
  }
}
