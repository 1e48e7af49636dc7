import { useState } from "react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { PasswordField } from "../parts/account-fields.tsx";
import { Button } from "../parts/button.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Facts } from "../parts/facts.tsx";
import { TextField } from "../parts/field.tsx";
import { ThemeSwitch } from "../parts/frame.tsx";
import { KeyField, keyProblem } from "../parts/key-field.tsx";
import { Failure, Note } from "../parts/note.tsx";
import { Page, Panel } from "../parts/page.tsx";
import { ReadingList } from "../parts/reading.tsx";
import { ROLES } from "../parts/roles.ts";
import { Row, Rows } from "../parts/rows.tsx";
import { Time } from "../parts/time.tsx";

export function AccountPage() {
  const me = useQuery(queries.me()).data;
  return (
    <Page title="Account">
      <Panel title="You">
        <Facts
          of={[
            ["Username", me?.username],
            ["Role", me && `${me.role}: ${ROLES[me.role]}`],
            ["Since", me && <Time key="since" at={me.createdAt} />],
            ["Theme", <ThemeSwitch key="theme" />],
          ]}
        />
      </Panel>
      <SavedKeys />
      <Password />
      <Sessions />
    </Page>
  );
}

function SavedKeys() {
  const client = useQueryClient();
  const query = useInfiniteQuery(queries.savedKeys());
  const changed = () => client.invalidateQueries({ queryKey: queries.savedKeys().queryKey });
  return (
    <Panel title="Saved SSH keys">
      <p className="text-sm text-muted">
        Offered whenever you make an instance. To remove one here changes nothing on the instances that it logs in to.
      </p>
      <ReadingList query={query} empty={<p className="text-sm">None is saved yet.</p>}>
        {(keys) => (
          <Rows>
            {keys.map(({ id, name, fingerprint, createdAt }) => (
              <Row key={id}>
                <span className="min-w-0">
                  <span className="block font-medium break-words">{name}</span>
                  <span className="block font-mono text-xs break-all text-muted">{fingerprint}</span>
                  <span className="text-sm text-muted">
                    saved <Time at={createdAt} />
                  </span>
                </span>
                <Confirm
                  action="Remove"
                  size="small"
                  title={`Remove the saved key ${name}?`}
                  run={() => api.removeSavedKey(id)}
                  onDone={() => void changed()}
                >
                  <p>It is no longer offered here. Instances that it logs in to keep it.</p>
                </Confirm>
              </Row>
            ))}
          </Rows>
        )}
      </ReadingList>
      <NewSavedKey onSaved={changed} />
    </Panel>
  );
}

function NewSavedKey({ onSaved }: { onSaved: () => Promise<void> }) {
  const [line, setLine] = useState("");
  const [name, setName] = useState("");
  const save = useMutation({
    mutationFn: () => api.saveKey({ sshPublicKey: line.trim(), ...(name.trim() !== "" && { name: name.trim() }) }),
    onSuccess: () => {
      setLine("");
      setName("");
      return onSaved();
    },
  });
  return (
    <details className="rounded-md border border-line px-4 py-3">
      <summary className="text-sm font-medium">Save another key</summary>
      <form
        className="grid gap-4 pt-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <KeyField value={line} onChange={setLine} />
        <TextField
          label="Name"
          hint="Empty is the key's own comment."
          value={name}
          maxLength={64}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <Failure error={save.error} />
        <Button
          type="submit"
          disabled={line.trim() === "" || keyProblem(line) !== undefined}
          busy={save.isPending}
          className="justify-self-start"
        >
          Save key
        </Button>
      </form>
    </details>
  );
}

function Password() {
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => api.changePassword({ currentPassword, newPassword }),
    onSuccess: () => {
      setCurrent("");
      setNew("");
      return client.invalidateQueries({ queryKey: queries.sessions().queryKey });
    },
  });
  const me = useQuery(queries.me()).data;
  return (
    <Panel title="Password">
      <form
        className="grid max-w-sm gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <input type="text" autoComplete="username" value={me?.username ?? ""} readOnly hidden />
        <PasswordField label="Current password" value={currentPassword} onChange={setCurrent} />
        <PasswordField
          label="New password"
          value={newPassword}
          onChange={setNew}
          isNew
          hint="Every other session of yours is ended."
        />
        <Failure error={change.error} />
        <div role="status">{change.isSuccess && <Note tone="good">The password is changed.</Note>}</div>
        <Button type="submit" busy={change.isPending} className="justify-self-start">
          Change password
        </Button>
      </form>
    </Panel>
  );
}

function Sessions() {
  const client = useQueryClient();
  const query = useInfiniteQuery(queries.sessions());
  return (
    <Panel title="Sessions">
      <ReadingList query={query} empty={<p className="text-sm">There is none.</p>}>
        {(sessions) => (
          <Rows>
            {sessions.map(({ id, current, address, userAgent, createdAt, expiresAt }) => (
              <Row key={id}>
                <span className="min-w-0 text-sm">
                  <span className="block font-medium break-words">
                    {programIn(userAgent)}
                    {current && " (this one)"}
                  </span>
                  <span className="text-muted" title={userAgent ?? ""}>
                    {address !== null && `from ${address}, `}
                    since <Time at={createdAt} />, ends <Time at={expiresAt} />
                  </span>
                </span>
                {!current && (
                  <Confirm
                    action="End"
                    size="small"
                    title="End this session?"
                    run={() => api.endSession(id)}
                    onDone={() => void client.invalidateQueries({ queryKey: queries.sessions().queryKey })}
                  >
                    <p>Whoever uses it has to sign in again; terminals that it opened close.</p>
                  </Confirm>
                )}
              </Row>
            ))}
          </Rows>
        )}
      </ReadingList>
    </Panel>
  );
}

const BROWSERS = ["Edg", "OPR", "Firefox", "Chrome", "Safari", "curl"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux"];

/** As much of what a program calls itself as a person needs to know it again. */
function programIn(userAgent: string | null): string {
  const found = (names: readonly string[]) => names.find((name) => userAgent?.includes(name));
  const browser = found(BROWSERS)?.replace("Edg", "Edge").replace("OPR", "Opera");
  const system = found(SYSTEMS);
  return [browser ?? "A program", system && `on ${system}`].filter((part) => part !== undefined).join(" ");
}
