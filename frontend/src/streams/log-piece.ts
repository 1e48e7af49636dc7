export type Tone = "faint" | "good" | "warn" | "bad" | "accent";

/** Of a line as it is shown: text that is safe to look at. */
export interface Piece {
  readonly text: string;
  readonly tone?: Tone | undefined;
  readonly isStrong?: boolean;
}
