import { useState } from "react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Role, UserWithInstances } from "@dockhost/protocol/rest";
import { api } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { Button } from "../parts/button.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { CopyBlock } from "../parts/copy.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Failure, Note } from "../parts/note.tsx";
import { Empty, Page, Panel } from "../parts/page.tsx";
import { ReadingList } from "../parts/reading.tsx";
import { ROLE_NAMES, ROLES } from "../parts/roles.ts";
import { Row, Rows } from "../parts/rows.tsx";
import { Time } from "../parts/time.tsx";

export function PeoplePage() {
  const me = useQuery(queries.me()).data;
  if (me?.role !== "admin") {
    return (
      <Page title="People">
        <Empty title="Only an admin sees who has an account here." />
      </Page>
    );
  }
  return (
    <Page title="People">
      <Invite />
      <Invitations />
      <Users />
    </Page>
  );
}

function Invite() {
  const [role, setRole] = useState<Role>("user");
  const [note, setNote] = useState("");
  const client = useQueryClient();
  const invite = useMutation({
    mutationFn: () => api.invite({ role, ...(note.trim() !== "" && { note: note.trim() }) }),
    onSuccess: () => {
      setNote("");
      return client.invalidateQueries({ queryKey: queries.invitations().queryKey });
    },
  });
  return (
    <Panel title="Invite somebody">
      <form
        className="grid items-start gap-4 sm:grid-cols-2"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate();
        }}
      >
        <SelectField label="Role" value={role} onChange={(event) => setRole(event.target.value as Role)}>
          {ROLE_NAMES.map((name) => (
            <option key={name} value={name}>
              {name}: {ROLES[name]}
            </option>
          ))}
        </SelectField>
        <TextField
          label="For whom"
          hint="Only for you to know it again."
          value={note}
          maxLength={64}
          autoComplete="off"
          onChange={(event) => setNote(event.target.value)}
        />
        <Button type="submit" kind="primary" busy={invite.isPending} className="justify-self-start">
          Make an invitation
        </Button>
      </form>
      <Failure error={invite.error} />
      {invite.data && (
        <div className="grid gap-2">
          <Note tone="warn">This link makes one account, within seven days. It is shown now and never again.</Note>
          <CopyBlock
            text={`${window.location.origin}/sign-up?token=${encodeURIComponent(invite.data.token)}`}
            label="Invitation link"
            wrap
          />
        </div>
      )}
    </Panel>
  );
}

function Invitations() {
  const client = useQueryClient();
  const query = useInfiniteQuery(queries.invitations());
  return (
    <Panel title="Invitations not used yet">
      <ReadingList query={query} empty={<p className="text-sm text-muted">There is none.</p>}>
        {(invitations) => (
          <Rows>
            {invitations.map(({ id, role, note, createdBy, createdAt, expiresAt }) => (
              <Row key={id}>
                <span className="text-sm">
                  <span className="block font-medium">{note ?? "For anybody"}</span>
                  <span className="text-muted">
                    {role}, made <Time at={createdAt} /> by {createdBy}, ends <Time at={expiresAt} />
                  </span>
                </span>
                <Confirm
                  action="Revoke"
                  size="small"
                  title="Revoke this invitation?"
                  run={() => api.revokeInvitation(id)}
                  onDone={() => void client.invalidateQueries({ queryKey: queries.invitations().queryKey })}
                >
                  <p>Its link makes no account any more.</p>
                </Confirm>
              </Row>
            ))}
          </Rows>
        )}
      </ReadingList>
    </Panel>
  );
}

function Users() {
  const query = useInfiniteQuery(queries.users());
  return (
    <Panel title="Accounts">
      <ReadingList query={query} empty={<p className="text-sm text-muted">There is none.</p>}>
        {(users) => (
          <Rows>
            {users.map((user) => (
              <UserRow key={user.id} user={user} />
            ))}
          </Rows>
        )}
      </ReadingList>
    </Panel>
  );
}

function UserRow({ user: { id, username, role, instances, createdAt } }: { user: UserWithInstances }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (wanted: Role) => api.setRole(id, wanted),
    onSettled: () => client.invalidateQueries({ queryKey: queries.users().queryKey }),
  });
  return (
    <li className="grid gap-2 py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <span className="text-sm">
          <span className="block font-medium break-words">{username}</span>
          <span className="text-muted">
            {instances} {instances === 1 ? "instance" : "instances"}, since <Time at={createdAt} />
          </span>
        </span>
        <select
          aria-label={`Role of ${username}`}
          value={role}
          disabled={change.isPending}
          onChange={(event) => change.mutate(event.target.value as Role)}
          className="min-h-9 rounded-md border border-edge bg-surface px-2 text-sm"
        >
          {ROLE_NAMES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <Failure error={change.error} />
    </li>
  );
}
