import { streamPath } from "../api/http.ts";
import { useShownInstance } from "../parts/shown-instance.ts";
import { Loaded } from "../parts/while-running.tsx";
import { LogView } from "./loaded-later.ts";

export function InstanceLogs() {
  const { id } = useShownInstance();
  return (
    <Loaded>
      <LogView path={streamPath.instanceLog(id)} label="The instance's log" />
    </Loaded>
  );
}
