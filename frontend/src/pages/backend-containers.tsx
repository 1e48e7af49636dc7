import { useId, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import type { BackendContainers } from "@dockhost/protocol/rest";
import { streamPath } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { Button } from "../parts/button.tsx";
import { Empty, Panel } from "../parts/page.tsx";
import { Reading } from "../parts/reading.tsx";
import { useShownBackend } from "../parts/shown-backend.ts";
import { State } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { Loaded } from "../parts/while-running.tsx";
import { StatsPlots } from "./loaded-later.ts";

type Container = BackendContainers["containers"][number];

const COLUMNS = ["User", "State", "In use", "Ports", "Image", "Made"];

export function BackendContainersView() {
  const { id, status } = useShownBackend();
  if (status === "offline") return <Empty title="Its containers can be listed while it is connected." />;
  return <Containers backendId={id} />;
}

function Containers({ backendId }: { backendId: string }) {
  const query = useQuery(queries.backendContainers(backendId));
  return (
    <Reading query={query}>
      {(containers) =>
        containers.length === 0 ? (
          <Empty title="It runs nothing for anybody." />
        ) : (
          <TableAndPlots backendId={backendId} containers={containers} />
        )
      }
    </Reading>
  );
}

/** One container's plots at a time: each is a stream of its own. */
function TableAndPlots({ backendId, containers }: { backendId: string; containers: readonly Container[] }) {
  const [chosen, setChosen] = useState<string>();
  const plots = useId();
  const drawn = containers.find(({ containerId, state }) => containerId === chosen && state === "running");
  return (
    <>
      <div
        className="overflow-x-auto rounded-lg border border-line bg-surface"
        tabIndex={0}
        role="region"
        aria-label="Containers"
      >
        <table className="w-full text-left text-sm">
          <thead className="border-b border-line text-muted">
            <tr>
              {COLUMNS.map((name) => (
                <th key={name} scope="col" className="px-4 py-2.5 font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {containers.map((container) => (
              <Row
                key={container.containerId}
                container={container}
                plots={drawn === container ? plots : undefined}
                onDraw={(wanted) => setChosen(wanted ? container.containerId : undefined)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {drawn && (
        <div id={plots}>
          <Panel title={`What ${drawn.username} uses`}>
            <Loaded>
              <StatsPlots path={streamPath.containerStats(backendId, drawn.username)} />
            </Loaded>
          </Panel>
        </div>
      )}
    </>
  );
}

interface RowProps {
  container: Container;
  /** The id of the element with its plots while they are shown. */
  plots: string | undefined;
  onDraw: (wanted: boolean) => void;
}

function Row({ container: { username, state, cause, ports, image, createdAt }, plots, onDraw }: RowProps) {
  const isDrawn = plots !== undefined;
  const act = isDrawn ? "Hide" : "Show";
  return (
    <tr>
      <th scope="row" className="px-4 py-2.5 font-medium">
        {username}
      </th>
      <td className="px-4 py-2.5">
        <State of={state} />
        {cause !== null && <span className="block text-muted">{cause}</span>}
      </td>
      <td className="px-4 py-1.5">
        <Button
          size="small"
          disabled={state !== "running"}
          aria-label={`${act} what ${username} uses`}
          aria-expanded={isDrawn}
          aria-controls={plots}
          onClick={() => onDraw(!isDrawn)}
        >
          {act}
        </Button>
      </td>
      <td className="px-4 py-2.5 whitespace-nowrap tabular-nums">
        {ports.ssh}–{ports.https}
      </td>
      <td className="px-4 py-2.5 font-mono text-xs">{image}</td>
      <td className="px-4 py-2.5 whitespace-nowrap">
        <Time at={createdAt} />
      </td>
    </tr>
  );
}
