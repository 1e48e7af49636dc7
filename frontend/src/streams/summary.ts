import { amount } from "../parts/amounts.ts";

export interface NamedValues {
  name: string;
  values: readonly number[];
}

/** A chart in words: of each series what it is now, and between what it was. */
export function summary(title: string, series: readonly NamedValues[], unit: string): string {
  return `${title}. ${series.map((one) => sentence(one, unit)).join(" ")}`;
}

function sentence({ name, values }: NamedValues, unit: string): string {
  const now = values.at(-1);
  if (now === undefined) return `${name}: nothing measured yet.`;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${name}: now ${amount(now, unit)}, least ${amount(least, unit)}, most ${amount(most, unit)}.`;
}
