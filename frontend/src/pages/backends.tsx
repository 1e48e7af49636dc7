import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Backend } from "@dockhost/protocol/rest";
import { mayRegister, queries } from "../api/queries.ts";
import { BackendUse } from "../parts/backend-use.tsx";
import { shownStateOf } from "../parts/backend-state.ts";
import { ButtonLink } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";
import { Empty, Page } from "../parts/page.tsx";
import { ReadingList } from "../parts/reading.tsx";
import { State } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";

export function BackendsPage() {
  const query = useInfiniteQuery(queries.backends());
  const me = useQuery(queries.me()).data;
  const register = me && mayRegister(me.role) && (
    <ButtonLink to="/backends/new" kind="primary">
      Register a backend
    </ButtonLink>
  );
  return (
    <Page title="Backends" actions={(query.data?.length ?? 0) > 0 && register}>
      <ReadingList
        query={query}
        empty={
          <Empty title="No machine is lent here yet.">
            <p className="max-w-prose text-muted">
              A backend is the program that runs on a machine with Docker and lends it. It needs no open port but those
              of its instances: it dials out to this server.
            </p>
            {register}
          </Empty>
        }
      >
        {(backends) => (
          <ul className="grid gap-3">
            {backends.map((backend) => (
              <BackendCard key={backend.id} backend={backend} />
            ))}
          </ul>
        )}
      </ReadingList>
    </Page>
  );
}

function BackendCard({ backend }: { backend: Backend }) {
  const { id, name, shared, version, docker, why, lastSeenAt } = backend;
  return (
    <li className="grid gap-3 rounded-lg border border-line bg-surface p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Link
          to="/backends/$id"
          params={{ id }}
          className="font-semibold break-words underline-offset-4 hover:underline"
        >
          {name}
        </Link>
        <State of={shownStateOf(backend)} />
        <span className="text-sm text-muted">
          {[
            shared ? "serves everyone" : "serves you",
            version && `DockHost ${version}`,
            docker?.version && `Docker ${docker.version}`,
          ]
            .filter((fact) => fact !== null && fact !== undefined && fact !== "")
            .join(" · ")}
          {lastSeenAt !== null && (
            <>
              {" · heard of "}
              <Time at={lastSeenAt} />
            </>
          )}
        </span>
      </div>
      {why !== null && <Note tone="warn">{why}</Note>}
      <BackendUse backend={backend} />
    </li>
  );
}
