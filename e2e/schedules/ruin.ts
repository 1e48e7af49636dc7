import type { LedgerRow } from "../faults/ledger.ts";

export type Loss = keyof Pick<LedgerRow, "lost" | "duplicated" | "orphaned" | "hung">;

/** What a schedule has brought to light; its words say what was promised and what there is. */
export class Ruin extends Error {
  override readonly name = "Ruin";
  readonly loss: Loss | undefined;

  /** Undefined where nothing is lost, but a word was broken. */
  constructor(loss: Loss | undefined, words: string) {
    super(loss === undefined ? words : `${loss}: ${words}`);
    this.loss = loss;
  }
}
