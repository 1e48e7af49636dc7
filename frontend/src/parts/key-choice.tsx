import { useInfiniteQuery } from "@tanstack/react-query";
import { parseSshPublicKey } from "@dockhost/protocol/ssh-public-key";
import { queries } from "../api/queries.ts";
import { KeyField } from "./key-field.tsx";

/** Of a saved key its id, or else a line that is being typed. */
export interface KeyWish {
  savedId: string | null | undefined;
  line: string;
  save: boolean;
}

export const NO_KEY_YET: KeyWish = { savedId: undefined, line: "", save: true };

/** The line that is meant, where there is a sound one, and whether it is a new one that is to be saved. */
export function useChosenKey({ savedId, line, save }: KeyWish): { line: string; save: boolean } | undefined {
  const saved = useInfiniteQuery(queries.savedKeys()).data ?? [];
  const chosen = savedId === null ? undefined : (saved.find(({ id }) => id === savedId) ?? saved[0]);
  if (chosen) return { line: chosen.line, save: false };
  const typed = line.trim();
  return parseSshPublicKey(typed).ok ? { line: typed, save } : undefined;
}

/** One of the saved keys, or another. The first that was saved is chosen unless something else is. */
export function KeyChoice({ wish, onChange }: { wish: KeyWish; onChange: (wish: KeyWish) => void }) {
  const saved = useInfiniteQuery(queries.savedKeys()).data ?? [];
  const chosenId = wish.savedId === undefined ? (saved[0]?.id ?? null) : wish.savedId;
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1.5 text-sm font-medium">Key that logs in</legend>
      {saved.map(({ id, name, fingerprint }) => (
        <KeyOption
          key={id}
          checked={chosenId === id}
          onChoose={() => onChange({ ...wish, savedId: id })}
          title={name}
          about={fingerprint}
        />
      ))}
      {saved.length > 0 && (
        <KeyOption
          checked={chosenId === null}
          onChoose={() => onChange({ ...wish, savedId: null })}
          title="Another key"
          about=""
        />
      )}
      {chosenId === null && (
        <>
          <KeyField value={wish.line} onChange={(line) => onChange({ ...wish, line })} />
          <label className="flex min-h-8 items-center gap-2.5 text-sm">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={wish.save}
              onChange={(event) => onChange({ ...wish, save: event.target.checked })}
            />
            Keep it in my account for next time
          </label>
        </>
      )}
    </fieldset>
  );
}

interface KeyOptionProps {
  checked: boolean;
  onChoose: () => void;
  title: string;
  about: string;
}

function KeyOption({ checked, onChoose, title, about }: KeyOptionProps) {
  return (
    <label
      className={`flex items-center gap-3 rounded-md border px-3 py-2 ${checked ? "border-accent bg-raised" : "border-line"}`}
    >
      <input type="radio" name="key" checked={checked} onChange={onChoose} className="size-4 accent-accent" />
      <span className="min-w-0">
        <span className="block font-medium break-words">{title}</span>
        {about !== "" && <span className="block truncate font-mono text-xs text-muted">{about}</span>}
      </span>
    </label>
  );
}
