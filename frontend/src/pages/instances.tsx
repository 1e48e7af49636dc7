import { useState } from "react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Instance } from "@dockhost/protocol/rest";
import { queries } from "../api/queries.ts";
import { ButtonLink } from "../parts/button.tsx";
import { CopyBlock } from "../parts/copy.tsx";
import { CreateForm } from "../parts/create-form.tsx";
import { CreationProgress } from "../parts/creation-progress.tsx";
import { Note } from "../parts/note.tsx";
import { Page, Panel } from "../parts/page.tsx";
import { PowerButton } from "../parts/power-button.tsx";
import { ReadingList } from "../parts/reading.tsx";
import { State } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { useBackendNames } from "../parts/backend-names.ts";

export function InstancesPage() {
  const query = useInfiniteQuery(queries.instances());
  // The first one is in the list as soon as it is being made: how that goes stays in sight where it was asked for.
  const [isMakingFirst, setIsMakingFirst] = useState(false);
  const isWelcome = isMakingFirst || query.data?.length === 0;
  return (
    <Page
      title="Instances"
      actions={
        query.data !== undefined &&
        !isWelcome && (
          <ButtonLink to="/instances/new" kind="primary">
            New instance
          </ButtonLink>
        )
      }
    >
      {isWelcome ? (
        <Welcome onMake={() => setIsMakingFirst(true)} />
      ) : (
        <ReadingList query={query} empty={null}>
          {(instances) => (
            <ul className="grid gap-3">
              {instances.map((instance) => (
                <InstanceCard key={instance.id} instance={instance} />
              ))}
            </ul>
          )}
        </ReadingList>
      )}
    </Page>
  );
}

/** The first thing that a new user sees; it ends in a login. */
function Welcome({ onMake }: { onMake: () => void }) {
  return (
    <Panel title="Welcome: your first Ubuntu">
      <p className="text-muted">
        Say which key logs in. A moment later the line to log in with stands here: you are root there, it has three
        ports of its own (SSH, 80 and 443), and what you put there stays until you delete it.
      </p>
      <CreateForm onMake={onMake} />
    </Panel>
  );
}

function InstanceCard({ instance }: { instance: Instance }) {
  const { id, backendId, state, ssh, why, image, createdAt } = instance;
  const name = useBackendNames()(backendId);
  return (
    <li className="grid gap-3 rounded-lg border border-line bg-surface p-4">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="flex min-w-0 flex-wrap items-center gap-x-3">
          <Link
            to="/instances/$id"
            params={{ id }}
            className="font-semibold break-words underline-offset-4 hover:underline"
          >
            {name}
          </Link>
          <State of={state} />
          <span className="text-sm text-muted">
            {image !== null && `${image} · `}made <Time at={createdAt} />
          </span>
        </div>
        <PowerButton instance={instance} />
      </div>
      {state === "creating" && <CreationProgress backendId={backendId} />}
      {why !== null && state !== "creating" && <Note tone={state === "stopped" ? "plain" : "warn"}>{why}</Note>}
      {ssh && state === "running" && <CopyBlock text={ssh.command} label="SSH command" />}
    </li>
  );
}
