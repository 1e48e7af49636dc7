import { streamPath } from "../api/http.ts";
import { Empty } from "../parts/page.tsx";
import { useShownBackend } from "../parts/shown-backend.ts";
import { Loaded } from "../parts/while-running.tsx";
import { LogView } from "./loaded-later.ts";

export function BackendLogView() {
  const { id, status } = useShownBackend();
  if (status === "offline") return <Empty title="Its log can be read while it is connected." />;
  return (
    <Loaded>
      <LogView path={streamPath.backendLog(id)} label="The backend's log" />
    </Loaded>
  );
}
