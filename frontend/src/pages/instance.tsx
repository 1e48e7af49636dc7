import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { queries } from "../api/queries.ts";
import { useBackendNames } from "../parts/backend-names.ts";
import { Note } from "../parts/note.tsx";
import { Page } from "../parts/page.tsx";
import { PowerButton } from "../parts/power-button.tsx";
import { Reading } from "../parts/reading.tsx";
import { State } from "../parts/state.tsx";
import { Tabs } from "../parts/tabs.tsx";

const ABOVE = { to: "/instances", title: "Instances" } as const;

/** One instance; its views stand beneath. */
export function InstancePage() {
  const { id } = useParams({ from: "/signed-in/instances/$id" });
  const query = useQuery(queries.instance(id));
  const name = useBackendNames();
  const { data: instance } = query;
  return (
    <Page
      title={instance ? name(instance.backendId) : "Instance"}
      above={ABOVE}
      full
      mark={instance && <State of={instance.state} />}
      actions={instance && <PowerButton instance={instance} />}
    >
      <Tabs
        label="Views of the instance"
        tabs={[
          { name: "Connect", to: "/instances/$id", params: { id } },
          { name: "Terminal", to: "/instances/$id/terminal", params: { id } },
          { name: "Logs", to: "/instances/$id/logs", params: { id } },
          { name: "Activity", to: "/instances/$id/activity", params: { id } },
          { name: "Settings", to: "/instances/$id/settings", params: { id } },
        ]}
      />
      <Reading query={query}>
        {({ state, why }) => (
          <>
            {why !== null && <Note tone={state === "stopped" ? "plain" : "warn"}>{why}</Note>}
            <Outlet />
          </>
        )}
      </Reading>
    </Page>
  );
}
