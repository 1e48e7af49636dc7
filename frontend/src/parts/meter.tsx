/** How much of a whole is in use. */
export function Meter({ name, share, told }: { name: string; share: number; told: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const tone = percent >= 90 ? "bg-bad" : percent >= 75 ? "bg-warn" : "bg-accent";
  return (
    <div className="grid gap-1">
      <div className="flex justify-between gap-3 text-sm">
        <span className="text-muted">{name}</span>
        <span className="tabular-nums">{told}</span>
      </div>
      <div
        role="meter"
        aria-label={name}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={told}
        className="h-1.5 overflow-hidden rounded-full bg-raised"
      >
        <div className={`h-full rounded-full ${tone}`} style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}
