import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "../api/http.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Panel } from "../parts/page.tsx";
import { useShownBackend } from "../parts/shown-backend.ts";

export function BackendSettings() {
  const { id, name, status, draining } = useShownBackend();
  const client = useQueryClient();
  const navigate = useNavigate();
  const changed = () => client.invalidateQueries({ queryKey: ["backends"] });
  return (
    <>
      <Panel title={draining ? "Let it take new instances" : "Drain it"}>
        <p className="text-sm text-muted">
          {draining
            ? "It takes no new instances now and serves those that it has."
            : "Before work on the machine: it takes no new instances, and serves those that it has until their owners delete them."}
        </p>
        <div className="grid justify-items-start gap-2">
          <Confirm
            action={draining ? "Take new instances" : "Drain"}
            kind="plain"
            disabled={status === "offline"}
            title={draining ? `Let ${name} take new instances?` : `Drain ${name}?`}
            run={() => api.setDraining(id, !draining)}
            onDone={() => void changed()}
          >
            <p>
              {draining
                ? "New instances are placed on it again, from now on."
                : "No new instance is placed on it from now on. Nothing that runs is touched, and you can take it back at any time."}
            </p>
          </Confirm>
          {status === "offline" && <p className="text-sm text-muted">This can be done while it is connected.</p>}
        </div>
      </Panel>
      <Panel title="Delete it">
        <p className="text-sm text-muted">Once no instance is on it any more.</p>
        <div>
          <Confirm
            action="Delete backend"
            title={`Delete ${name}?`}
            typed={name}
            run={() => api.deleteBackend(id)}
            onDone={() => void navigate({ to: "/backends" }).then(changed)}
          >
            <p>Its keys become invalid and its program is disconnected. Nothing on the machine itself is touched.</p>
          </Confirm>
        </div>
      </Panel>
    </>
  );
}
