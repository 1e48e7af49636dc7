import { useState } from "react";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { Button } from "../parts/button.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { NewKey } from "../parts/new-key.tsx";
import { Failure } from "../parts/note.tsx";
import { Empty, Panel } from "../parts/page.tsx";
import { ReadingList } from "../parts/reading.tsx";
import { Row, Rows } from "../parts/rows.tsx";
import { useShownBackend } from "../parts/shown-backend.ts";
import { Time } from "../parts/time.tsx";

export function BackendKeysView() {
  const { id } = useShownBackend();
  const [apiKey, setApiKey] = useState<string>();
  const client = useQueryClient();
  const query = useInfiniteQuery(queries.backendKeys(id));
  const changed = () => client.invalidateQueries({ queryKey: queries.backendKeys(id).queryKey });
  const mint = useMutation({
    mutationFn: () => api.mintBackendKey(id),
    onSuccess: (created) => {
      setApiKey(created.apiKey);
      return changed();
    },
  });
  return (
    <>
      {apiKey !== undefined && (
        <Panel title="The new key">
          <NewKey apiKey={apiKey} />
        </Panel>
      )}
      <Panel
        title="API keys"
        actions={
          <Button size="small" busy={mint.isPending} onClick={() => mint.mutate()}>
            New key
          </Button>
        }
      >
        <p className="text-sm text-muted">
          To change a key without a gap: make a new one, start the backend with it, then revoke the old one.
        </p>
        <Failure error={mint.error} />
        <ReadingList query={query} empty={<Empty title="No key is valid: this backend cannot connect." />}>
          {(keys) => (
            <Rows>
              {keys.map(({ id: keyId, prefix, createdAt }) => (
                <Row key={keyId}>
                  <span>
                    <span className="font-mono">{prefix}…</span>{" "}
                    <span className="text-sm text-muted">
                      made <Time at={createdAt} />
                    </span>
                  </span>
                  <Confirm
                    action="Revoke"
                    size="small"
                    title="Revoke this key?"
                    run={() => api.revokeBackendKey(id, keyId)}
                    onDone={() => void changed()}
                  >
                    <p>
                      A backend that is connected with it is disconnected at once and cannot come back with it. Its
                      instances keep running.
                    </p>
                  </Confirm>
                </Row>
              ))}
            </Rows>
          )}
        </ReadingList>
      </Panel>
    </>
  );
}
