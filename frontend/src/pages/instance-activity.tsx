import { lazy } from "react";
import { streamPath } from "../api/http.ts";
import { useShownInstance } from "../parts/shown-instance.ts";
import { WhileRunning } from "../parts/while-running.tsx";

const StatsPlots = lazy(async () => ({ default: (await import("../streams/stats-plots.tsx")).StatsPlots }));

export function InstanceActivity() {
  const { id, state } = useShownInstance();
  return (
    <WhileRunning state={state} what="There is something to see">
      <StatsPlots path={streamPath.instanceStats(id)} />
    </WhileRunning>
  );
}
