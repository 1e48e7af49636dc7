import { useProgress, type Progress } from "../api/news.ts";
import { Spinner } from "./button.tsx";

const PHASES = [
  ["pulling-image", "Pulling the image"],
  ["allocating-ports", "Finding three free ports"],
  ["creating", "Creating the container"],
  ["starting", "Starting it"],
  ["waiting-for-ssh", "Waiting for SSH to answer"],
] as const satisfies readonly (readonly [Progress["phase"], string])[];

/** What is being done for an instance right now, as its backend tells it. */
export function CreationProgress({ backendId }: { backendId: string | undefined }) {
  const progress = useProgress(backendId);
  const words = PHASES.find(([phase]) => phase === progress?.phase)?.[1] ?? "Asking the backend for it";
  const share = shareOf(progress);
  return (
    <div className="grid gap-2">
      <p role="status" className="flex items-center gap-2.5 text-sm font-medium">
        <span className="text-accent">
          <Spinner />
        </span>
        {words}
        {share !== undefined && `, ${share} %`}…
      </p>
      <div aria-hidden className="h-1 overflow-hidden rounded-full bg-raised">
        <div
          className="h-full rounded-full bg-accent transition-[width] duration-300"
          style={{ width: `${wayCome(progress, share)}%` }}
        />
      </div>
    </div>
  );
}

function shareOf(progress: Progress | undefined): number | undefined {
  if (progress?.current === undefined || progress.total === undefined || progress.total === 0) return undefined;
  return Math.min(100, Math.floor((progress.current / progress.total) * 100));
}

/** A pull, where there is one, is most of the way. */
function wayCome(progress: Progress | undefined, share = 0): number {
  const step = PHASES.findIndex(([phase]) => phase === progress?.phase);
  return [4, 5 + share * 0.55, 65, 75, 85, 93][step + 1] ?? 4;
}
