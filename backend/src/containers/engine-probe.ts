import { EngineError, type Engine } from "../engine/engine.ts";
import { containerSpec, type EngineAbilities, type Profile } from "./container-spec.ts";
import type { PresentImage } from "./images.ts";
import { slotName } from "./names.ts";

/**
 * Tries on a throw-away container what this Engine honours, since no answer of its API tells: a disk quota per
 * container (seen refused on overlay2 without pquota) and an open-files limit above the Engine's own (seen to keep a
 * container from starting). Its name and labels are a slot's, so that a crash in between leaves nothing behind.
 */
export async function probeEngine(
  engine: Engine,
  image: PresentImage,
  identity: { slot: string; backendId: string },
  profile: Profile,
): Promise<EngineAbilities> {
  const attempt = (abilities: EngineAbilities) => tryOut(engine, image, identity, profile, abilities);
  const diskQuota = (await attempt({ diskQuota: true, openFilesLimit: false })) !== "quota-unsupported";
  const openFilesLimit = (await attempt({ diskQuota, openFilesLimit: true })) !== "limit-refused";
  return { diskQuota, openFilesLimit };
}

type Refusal = "quota-unsupported" | "limit-refused";

async function tryOut(
  engine: Engine,
  image: PresentImage,
  identity: { slot: string; backendId: string },
  profile: Profile,
  abilities: EngineAbilities,
): Promise<Refusal | undefined> {
  const plan = { ...identity, image, base: 1, limits: {}, keys: undefined, environment: {} };
  const spec = { ...containerSpec(plan, profile, abilities), network: "none", ports: {} };
  let id: string | undefined;
  try {
    id = await engine.create(slotName(identity.slot), spec);
    // The quota is refused at creation already, the open-files limit only by the start.
    if (abilities.openFilesLimit) await engine.start(id);
    return undefined;
  } catch (error) {
    if (error instanceof EngineError && (error.kind === "quota-unsupported" || error.kind === "limit-refused")) {
      return error.kind;
    }
    throw error;
  } finally {
    if (id !== undefined) await engine.remove(id);
  }
}
