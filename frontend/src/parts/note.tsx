import type { ReactNode } from "react";

const TONES = {
  plain: "border-line bg-raised text-muted",
  good: "border-good/40 bg-good/8 text-ink",
  warn: "border-warn/50 bg-warn/8 text-ink",
  bad: "border-bad/50 bg-bad/8 text-ink",
};

/** A sentence that stands where it matters. */
export function Note({ tone = "plain", children }: { tone?: keyof typeof TONES; children: ReactNode }) {
  return <div className={`rounded-md border px-3.5 py-2.5 text-sm ${TONES[tone]}`}>{children}</div>;
}

/** What has failed, told as soon as it has. */
export function Failure({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <div role="alert">
      <Note tone="bad">{error.message}</Note>
    </div>
  );
}
