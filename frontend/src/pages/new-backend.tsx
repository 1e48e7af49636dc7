import { useState } from "react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { CreatedBackend } from "@dockhost/protocol/rest";
import { api } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { shownStateOf } from "../parts/backend-state.ts";
import { Button, ButtonLink, Spinner } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { NewKey } from "../parts/new-key.tsx";
import { Failure } from "../parts/note.tsx";
import { Page, Panel } from "../parts/page.tsx";
import { State } from "../parts/state.tsx";

const ABOVE = { to: "/backends", title: "Backends" } as const;

export function NewBackendPage() {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const register = useMutation({
    mutationFn: () => api.registerBackend(name.trim()),
    onSuccess: () => client.invalidateQueries({ queryKey: ["backends"] }),
  });
  if (register.data) return <Registered created={register.data} />;
  return (
    <Page title="Register a backend" above={ABOVE}>
      <Panel title="A machine with Docker, lent by you">
        <p className="text-muted">
          It runs instances for your account, and dials out to this server: no port has to be opened but those of the
          instances.
        </p>
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            register.mutate();
          }}
        >
          <TextField
            label="Name"
            hint="As you call the machine, for example lab-1."
            value={name}
            maxLength={64}
            required
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
          <Failure error={register.error} />
          <Button type="submit" kind="primary" busy={register.isPending} className="justify-self-start">
            Register
          </Button>
        </form>
      </Panel>
    </Page>
  );
}

/** Stays until it is left: the key is told here alone. */
function Registered({ created: { backend, apiKey } }: { created: CreatedBackend }) {
  const now = useQuery(queries.backend(backend.id)).data ?? backend;
  const online = now.status === "online";
  return (
    <Page title={backend.name} above={ABOVE} mark={online && <State of={shownStateOf(now)} />}>
      <Panel title="Connect it">
        <NewKey apiKey={apiKey} />
        <div role="status" className="flex min-h-10 flex-wrap items-center gap-3 border-t border-line pt-4">
          {online ? (
            <>
              <span className="font-medium text-good">It has connected.</span>
              <ButtonLink to="/backends/$id" params={{ id: backend.id }} kind="primary">
                Look at it
              </ButtonLink>
            </>
          ) : (
            <span className="flex items-center gap-2.5 text-muted">
              <Spinner /> Waiting for it to connect; this page shows it as soon as it does.
            </span>
          )}
        </div>
      </Panel>
    </Page>
  );
}
