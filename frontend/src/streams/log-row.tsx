import { memo } from "react";
import type { LogLine } from "./log-lines.ts";
import { marked, type FoundPiece } from "./log-search.ts";

const TONES = { faint: "text-faint", good: "text-good", warn: "text-warn", bad: "text-bad", accent: "text-accent" };

/** Text nodes alone: whatever a log holds, it cannot act. */
export const LogRow = memo(function LogRow({ line, search }: { line: LogLine; search: RegExp | undefined }) {
  return (
    <div className="min-h-[1lh] px-3">
      {marked(line.pieces, search).map((piece, index) =>
        // Most are: an element for each would cost as much again.
        isPlain(piece) ? piece.text : <Words key={index} piece={piece} />,
      )}
    </div>
  );
});

const isPlain = ({ tone, isStrong, isHit }: FoundPiece): boolean => !isHit && !isStrong && tone === undefined;

function Words({ piece: { text, tone, isStrong, isHit } }: { piece: FoundPiece }) {
  const weight = isStrong ? "font-semibold" : "";
  if (isHit) return <mark className={`rounded-xs bg-warn/25 text-ink ${weight}`}>{text}</mark>;
  return <span className={`${tone ? TONES[tone] : ""} ${weight}`}>{text}</span>;
}
