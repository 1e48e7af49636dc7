const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi"] as const;

/** Of bytes, or of bytes a second: they go by powers of 1024. */
const isOfBytes = (unit: string): boolean => unit === "B" || unit === "B/s";

/** `12 %`, `1.5 MiB/s`; of "B" and "B/s" with the prefix that fits. */
export function amount(value: number, unit: string): string {
  const step = isOfBytes(unit) ? stepOf(value) : 0;
  const scaled = value / 1024 ** step;
  const number = scaled.toLocaleString("en", { maximumFractionDigits: Math.abs(scaled) >= 100 ? 0 : 1 });
  return unit === "" ? number : `${number} ${PREFIXES[step] ?? ""}${unit}`;
}

export const mebibytes = (count: number): string => amount(count * 1024 ** 2, "B");

/** A round number at or above `value`, where a scale may end; half of it is round too. */
export function roundTop(value: number, unit: string): number {
  const least = Math.max(value, isOfBytes(unit) ? 1024 : 2);
  const base = isOfBytes(unit) ? 1024 ** stepOf(least) : 1;
  const decade = 10 ** Math.floor(Math.log10(least / base));
  const digit = [1, 2, 4, 6, 8, 10].find((digit) => digit * decade * base >= least) ?? 10;
  return digit * decade * base;
}

function stepOf(bytes: number): number {
  const fitting = Math.floor(Math.log2(Math.max(1, bytes)) / 10);
  return Math.min(fitting, PREFIXES.length - 1);
}
