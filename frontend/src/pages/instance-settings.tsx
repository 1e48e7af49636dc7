import { useState } from "react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "../api/http.ts";
import { useBackendNames } from "../parts/backend-names.ts";
import { Button } from "../parts/button.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { KeyChoice, NO_KEY_YET, useChosenKey } from "../parts/key-choice.tsx";
import { Failure, Note } from "../parts/note.tsx";
import { Panel } from "../parts/page.tsx";
import { useShownInstance } from "../parts/shown-instance.ts";

export function InstanceSettings() {
  const { id, backendId } = useShownInstance();
  const name = useBackendNames()(backendId);
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <>
      <ReplaceKeys id={id} />
      <Panel title="Delete it">
        <p className="text-sm text-muted">Everything on it is lost; nobody can bring it back.</p>
        <div>
          <Confirm
            action="Delete instance"
            title={`Delete the instance on ${name}?`}
            typed={name}
            run={() => api.deleteInstance(id)}
            onDone={() => {
              void navigate({ to: "/instances" }).then(() => client.invalidateQueries({ queryKey: ["instances"] }));
            }}
          >
            <p>The container and everything on it are removed at once, and its three ports are given back.</p>
          </Confirm>
        </div>
      </Panel>
    </>
  );
}

function ReplaceKeys({ id }: { id: string }) {
  const [key, setKey] = useState(NO_KEY_YET);
  const chosen = useChosenKey(key);
  const client = useQueryClient();
  const replace = useMutation({
    mutationFn: async () => {
      if (!chosen) throw new Error("Say first which key logs in.");
      await api.replaceKeys(id, [chosen.line]);
      if (chosen.save) await api.saveKey({ sshPublicKey: chosen.line }).catch(() => undefined);
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["saved-keys"] }),
  });
  return (
    <Panel title="Replace its key">
      <p className="text-sm text-muted">
        From then on only this key logs in. Who is logged in at that moment stays so until they leave.
      </p>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          replace.mutate();
        }}
      >
        <KeyChoice wish={key} onChange={setKey} />
        <Failure error={replace.error} />
        <div role="status">{replace.isSuccess && <Note tone="good">The key is replaced.</Note>}</div>
        <Button type="submit" disabled={!chosen} busy={replace.isPending} className="justify-self-start">
          Replace key
        </Button>
      </form>
    </Panel>
  );
}
