import { useQuery } from "@tanstack/react-query";
import { queries } from "../api/queries.ts";
import { Empty } from "../parts/page.tsx";
import { Reading } from "../parts/reading.tsx";
import { useShownBackend } from "../parts/shown-backend.ts";
import { State } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";

export function BackendContainersView() {
  const { id, status } = useShownBackend();
  if (status === "offline") return <Empty title="Its containers can be listed while it is connected." />;
  return <Containers id={id} />;
}

function Containers({ id }: { id: string }) {
  const query = useQuery(queries.backendContainers(id));
  return (
    <Reading query={query}>
      {(containers) =>
        containers.length === 0 ? (
          <Empty title="It runs nothing for anybody." />
        ) : (
          <div
            className="overflow-x-auto rounded-lg border border-line bg-surface"
            tabIndex={0}
            role="region"
            aria-label="Containers"
          >
            <table className="w-full text-left text-sm">
              <thead className="border-b border-line text-muted">
                <tr>
                  {["User", "State", "Ports", "Image", "Made"].map((name) => (
                    <th key={name} scope="col" className="px-4 py-2.5 font-medium">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody className="divide-y divide-line">
                {containers.map(({ containerId, username, state, cause, ports, image, createdAt }) => (
                  <tr key={containerId}>
                    <th scope="row" className="px-4 py-2.5 font-medium">
                      {username}
                    </th>
                    <td className="px-4 py-2.5">
                      <State of={state} />
                      {cause !== null && <span className="block text-muted">{cause}</span>}
                    </td>
                    <td className="px-4 py-2.5 whitespace-nowrap tabular-nums">
                      {ports.ssh}–{ports.https}
                    </td>
                    <td className="px-4 py-2.5 font-mono text-xs">{image}</td>
                    <td className="px-4 py-2.5 whitespace-nowrap">
                      <Time at={createdAt} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Reading>
  );
}
