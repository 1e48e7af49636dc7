import { useDeferredValue, useState } from "react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { AUDIT_ACTIONS } from "@dockhost/protocol/audit-actions";
import { queries } from "../api/queries.ts";
import { SelectField, TextField } from "../parts/field.tsx";
import { Empty, Page } from "../parts/page.tsx";
import { ReadingList } from "../parts/reading.tsx";
import { Time } from "../parts/time.tsx";

const OUTCOMES = { done: "text-good", refused: "text-warn", failed: "text-bad" };

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Who did what to which. */
export function HistoryPage() {
  const [user, setUser] = useState("");
  const [action, setAction] = useState("");
  const asked = useDeferredValue(user.trim());
  const me = useQuery(queries.me()).data;
  const query = useInfiniteQuery(queries.audit({ user: asked, action }));
  return (
    <Page title="History">
      <p className="text-muted">
        {me?.role === "admin" ? "What everybody did here, newest first." : "What you did here, newest first."}
      </p>
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField label="Action" value={action} onChange={(event) => setAction(event.target.value)}>
          <option value="">Any</option>
          {AUDIT_ACTIONS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
        {me?.role === "admin" && (
          <TextField
            label="Username"
            value={user}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => setUser(event.target.value)}
          />
        )}
      </div>
      <ReadingList query={query} empty={<Empty title="Nothing of that kind has happened." />}>
        {(entries) => (
          <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
            {entries.map(({ id, at, username, action: done, subject, subjectName, outcome, detail, address }) => (
              <li key={id} className="grid gap-1 px-4 py-3 text-sm sm:grid-cols-[9rem_1fr_auto] sm:gap-x-4">
                <span className="text-muted">
                  <Time at={at} />
                </span>
                <span className="min-w-0 break-words">
                  <span className="font-medium">{username ?? "somebody"}</span>{" "}
                  {done.replace(".", " ").replaceAll("-", " ")}
                  {subject !== null && (
                    <span className="text-muted" title={subject}>
                      {" "}
                      · {subjectName ?? shortened(subject)}
                    </span>
                  )}
                  {detail !== null && <span className="block text-muted">{detail}</span>}
                </span>
                <span className="flex gap-3 text-muted">
                  {address}
                  <span className={`font-medium ${OUTCOMES[outcome]}`}>{outcome}</span>
                </span>
              </li>
            ))}
          </ul>
        )}
      </ReadingList>
    </Page>
  );
}

/** An id is told by its beginning; whole, it stands behind that. */
const shortened = (subject: string): string => (UUID.test(subject) ? subject.slice(0, 8) : subject);
