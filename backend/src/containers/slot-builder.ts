import type { Limits, OperationPhase } from "@dockhost/protocol";
import { EngineError, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import { allEnded } from "./all-ended.ts";
import { containerSpec, NETWORK, type Profile, type SlotPlan } from "./container-spec.ts";
import type { EngineTrial } from "./engine-trial.ts";
import type { EngineTurns } from "./engine-turns.ts";
import { DockHostError } from "./errors.ts";
import type { PresentImage } from "./images.ts";
import { LABELS, slotName } from "./names.ts";
import type { SlotDirectories } from "./slot-directories.ts";

interface SlotBuilderParts {
  engine: Engine;
  engineTrial: EngineTrial;
  engineTurns: EngineTurns;
  directories: SlotDirectories;
  backendId: string;
  profile: Profile;
  /** Whether the Engine sees this machine's directories. */
  engineIsLocal: boolean;
}

/** What a slot's container is made of. */
export interface SlotOrder {
  slot: string;
  base: number;
  image: PresentImage;
  limits: Limits;
  /** Given to a container that cannot read them from a directory. */
  keys: readonly string[];
}

export type PhaseListener = (phase: OperationPhase) => void;

/** Who hears how far the making of a container is. */
export interface Progress {
  onPhase: PhaseListener;
  /** It exists from here on, by this id. */
  onMade: (containerId: string) => void;
}

/** Makes the container of a slot and starts it. */
export class SlotBuilder {
  readonly #parts: SlotBuilderParts;

  constructor(parts: SlotBuilderParts) {
    this.#parts = parts;
  }

  /** Whether containers of `image` read their keys from a directory of ours, where they can change. */
  mountsKeys(image: PresentImage): boolean {
    return this.#parts.engineIsLocal && keyDirectory(image) !== "";
  }

  /** Answers the container's id once it runs, which it does not before `fill` has ended. */
  async build(order: SlotOrder, fill: () => Promise<void>, { onPhase, onMade }: Progress): Promise<string> {
    const { directories, engine, engineTrial, engineTurns, backendId, profile } = this.#parts;
    const { slot } = order;
    const abilities = await engineTrial.abilities(order.image);
    directories.make(slot);
    failpoint("create:directory-made");
    const filled = fill();
    const spec = containerSpec({ ...order, backendId, ...this.#keyDelivery(order) }, profile, abilities);
    const made = engineTurns.run(async () => {
      onPhase("creating");
      const [id] = await allEnded([engine.create(slotName(slot), spec), engine.ensureIsolatedBridge(NETWORK)]);
      onMade(id);
      failpoint("create:container-made");
      // Nothing runs before its claim and its keys are on disk, and but on a network that keeps it apart.
      await filled;
      failpoint("create:claimed");
      onPhase("starting");
      await engine.start(id).catch((error: unknown) => {
        throw startFailure(error);
      });
      failpoint("create:container-started");
      return id;
    });
    // Nothing is written any more where the slot is undone.
    const [id] = await allEnded([made, filled]);
    return id;
  }

  /** A directory that sshd reads, where the image declares one and the Engine can see ours; else the environment. */
  #keyDelivery({ slot, image, keys }: SlotOrder): Pick<SlotPlan, "keys" | "environment"> {
    if (!this.mountsKeys(image)) return { keys: undefined, environment: { SSH_PUB_KEY: keys.join("\n") } };
    return { keys: { source: this.#parts.directories.keys(slot), target: keyDirectory(image) }, environment: {} };
  }
}

/** An image built on ours takes the label back by setting it to nothing. */
const keyDirectory = ({ labels }: PresentImage): string => labels[LABELS.keys] ?? "";

function startFailure(error: unknown): unknown {
  if (!(error instanceof EngineError) || error.kind !== "other") return error;
  return new DockHostError("START_FAILED", `Docker could not start the container: ${error.message.trim()}`, {
    cause: error,
  });
}
