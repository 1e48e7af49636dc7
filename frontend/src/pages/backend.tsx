import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { queries } from "../api/queries.ts";
import { shownStateOf } from "../parts/backend-state.ts";
import { Note } from "../parts/note.tsx";
import { Page } from "../parts/page.tsx";
import { Reading } from "../parts/reading.tsx";
import { State } from "../parts/state.tsx";
import { Tabs, type Tab } from "../parts/tabs.tsx";

const ABOVE = { to: "/backends", title: "Backends" } as const;

/** One backend; its views stand beneath, most of them for who manages it alone. */
export function BackendPage() {
  const { id } = useParams({ from: "/signed-in/backends/$id" });
  const query = useQuery(queries.backend(id));
  const { data: backend } = query;
  const params = { id };
  const tabs: Tab[] = [
    { name: "Overview", to: "/backends/$id", params },
    ...(backend?.mine === true
      ? ([
          { name: "Containers", to: "/backends/$id/containers", params },
          { name: "Log", to: "/backends/$id/log", params },
          { name: "API keys", to: "/backends/$id/keys", params },
          { name: "Settings", to: "/backends/$id/settings", params },
        ] as const)
      : []),
  ];
  return (
    <Page title={backend?.name ?? "Backend"} above={ABOVE} full mark={backend && <State of={shownStateOf(backend)} />}>
      <Tabs label="Views of the backend" tabs={tabs} />
      <Reading query={query}>
        {({ why }) => (
          <>
            {why !== null && <Note tone="warn">{why}</Note>}
            <Outlet />
          </>
        )}
      </Reading>
    </Page>
  );
}
