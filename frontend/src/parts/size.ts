const STEPS = ["MiB", "GiB", "TiB"] as const;

/** Mebibytes as a person says them. */
export function mebibytes(amount: number): string {
  const step = Math.min(STEPS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(amount, 1)) / 10)));
  const value = amount / 1024 ** step;
  return `${value >= 100 || step === 0 ? Math.round(value) : value.toFixed(1)} ${STEPS[step]}`;
}
