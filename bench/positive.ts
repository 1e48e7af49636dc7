import { InvalidArgumentError } from "commander";

/** An option's argument that counts something. */
export function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
