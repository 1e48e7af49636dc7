import { useState } from "react";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { Backend, NewInstance } from "@dockhost/protocol/rest";
import { api } from "../api/http.ts";
import { forgetProgress } from "../api/news.ts";
import { queries } from "../api/queries.ts";
import { Button } from "./button.tsx";
import { CreationProgress } from "./creation-progress.tsx";
import { SelectField, TextField } from "./field.tsx";
import { KeyChoice, NO_KEY_YET, useChosenKey } from "./key-choice.tsx";
import { Failure, Note } from "./note.tsx";

/** How much of it the instance may use; empty is as much as the backend lets it. */
interface Wishes {
  image: string;
  memoryMiB: string;
  cpus: string;
  diskMiB: string;
}
const NO_WISHES: Wishes = { image: "", memoryMiB: "", cpus: "", diskMiB: "" };

/** From a key to an instance that answers; then it shows that one. `onMake` is called when it begins. */
export function CreateForm({ onMake }: { onMake?: () => void }) {
  const [key, setKey] = useState(NO_KEY_YET);
  const [backendId, setBackendId] = useState("");
  const [wishes, setWishes] = useState(NO_WISHES);
  const chosen = useChosenKey(key);
  const backends = useInfiniteQuery(queries.backends());
  const client = useQueryClient();
  const navigate = useNavigate();

  const create = useMutation({
    mutationFn: async () => {
      if (!chosen) throw new Error("Say first which key logs in.");
      forgetProgress();
      // Kept even if the rest fails; that it is there already is as good.
      if (chosen.save) await api.saveKey({ sshPublicKey: chosen.line }).catch(() => undefined);
      void client.invalidateQueries({ queryKey: queries.savedKeys().queryKey });
      return api.createInstance(wanted(chosen.line, backendId, wishes));
    },
    onSuccess: ({ id }) => navigate({ to: "/instances/$id", params: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ["instances"] }),
  });

  if (backends.data?.length === 0) return <NoBackend />;
  return (
    <form
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        onMake?.();
        create.mutate();
      }}
    >
      <KeyChoice wish={key} onChange={setKey} />
      <SelectField
        label="Backend"
        hint="The machine that it runs on. You can have one instance on each."
        value={backendId}
        onChange={(event) => setBackendId(event.target.value)}
      >
        <option value="">The one with the most room</option>
        {backends.data?.map((backend) => (
          <option key={backend.id} value={backend.id} disabled={backend.status === "offline"}>
            {backend.name} ({roomOf(backend)})
          </option>
        ))}
      </SelectField>
      <MoreWishes wishes={wishes} onChange={setWishes} />
      <Failure error={create.error} />
      {create.isPending ? (
        <CreationProgress backendId={backendId === "" ? undefined : backendId} />
      ) : (
        <Button type="submit" kind="primary" disabled={!chosen} className="justify-self-start">
          Create instance
        </Button>
      )}
    </form>
  );
}

function NoBackend() {
  return (
    <Note tone="warn">
      No machine is lent to you yet.{" "}
      <Link to="/backends/new" className="font-medium text-accent underline underline-offset-4">
        Register a backend
      </Link>{" "}
      of your own, or ask who runs this server.
    </Note>
  );
}

function MoreWishes({ wishes, onChange }: { wishes: Wishes; onChange: (wishes: Wishes) => void }) {
  const number = (name: keyof Wishes, label: string, hint: string) => (
    <TextField
      label={label}
      hint={hint}
      inputMode="decimal"
      value={wishes[name]}
      error={isAmount(wishes[name]) ? undefined : "This must be a number above zero."}
      onChange={(event) => onChange({ ...wishes, [name]: event.target.value })}
    />
  );
  return (
    <details className="rounded-md border border-line px-4 py-3">
      <summary className="text-sm font-medium">Image and limits</summary>
      <div className="grid gap-4 pt-4 sm:grid-cols-2">
        <TextField
          label="Image"
          hint="A name from the backend's list; empty is its own Ubuntu."
          value={wishes.image}
          spellCheck={false}
          autoCapitalize="none"
          onChange={(event) => onChange({ ...wishes, image: event.target.value })}
        />
        {number("memoryMiB", "Memory, MiB", "Empty is as much as the backend lets it.")}
        {number("cpus", "Processors", "1.5 is one and a half.")}
        {number("diskMiB", "Disk, MiB", "Where the backend can hold it to that.")}
      </div>
    </details>
  );
}

const isAmount = (text: string): boolean => text.trim() === "" || Number(text) > 0;

function wanted(sshPublicKey: string, backendId: string, { image, ...limits }: Wishes): NewInstance {
  const given = Object.entries(limits).filter(([, amount]) => amount.trim() !== "");
  return {
    sshPublicKey,
    ...(backendId !== "" && { backendId }),
    ...(image.trim() !== "" && { image: image.trim() }),
    ...(given.length > 0 && { limits: Object.fromEntries(given.map(([name, amount]) => [name, Number(amount)])) }),
  };
}

function roomOf({ status, draining, capacity, usage }: Backend): string {
  if (status === "offline") return "offline";
  if (draining) return "takes no new instances";
  if (!capacity || !usage) return "online";
  return `${Math.max(0, capacity.maxContainers - usage.containers)} free of ${capacity.maxContainers}`;
}
