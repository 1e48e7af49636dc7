import { useState, type DragEvent } from "react";
import { parseSshPublicKey } from "@dockhost/protocol/ssh-public-key";
import { TextArea } from "./field.tsx";

const WHERE_IT_IS = "cat ~/.ssh/id_ed25519.pub";
const MAX_FILE_BYTES = 16_384;

/** What is wrong with a key line, in the main server's own words; undefined where nothing is, or nothing stands there. */
export function keyProblem(line: string): string | undefined {
  if (line.trim() === "") return undefined;
  if (line.includes("PRIVATE KEY")) {
    return "This is a private key, which must never leave your machine: paste the .pub file beside it.";
  }
  const result = parseSshPublicKey(line.trim());
  return result.ok ? undefined : result.reason;
}

/** A public key that is typed, pasted, or dropped as a file; checked meanwhile. */
export function KeyField({ value, onChange }: { value: string; onChange: (line: string) => void }) {
  const [dragging, setDragging] = useState(false);
  const [problem, setProblem] = useState<string>();
  const read = async (file: File): Promise<void> => {
    if (file.size > MAX_FILE_BYTES) {
      setProblem("This file is too large to be a public key; drop the .pub file.");
      return;
    }
    try {
      const content = await file.text();
      setProblem(undefined);
      onChange(content.trim());
    } catch {
      setProblem("The file could not be read; paste what is in it.");
    }
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setDragging(false);
    const [file] = event.dataTransfer.files;
    if (file) void read(file);
    else onChange(event.dataTransfer.getData("text/plain"));
  };
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={() => setDragging(false)}
      onDrop={drop}
      className={dragging ? "rounded-md outline-2 outline-offset-4 outline-accent outline-dashed" : ""}
    >
      <TextArea
        label="Public key"
        hint={
          <>
            The one line that <code className="font-mono">{WHERE_IT_IS}</code> prints; paste it, or drop the file here.
            No key yet? <code className="font-mono">ssh-keygen -t ed25519</code> makes one.
          </>
        }
        error={problem ?? keyProblem(value)}
        value={value}
        rows={3}
        spellCheck={false}
        autoComplete="off"
        placeholder="ssh-ed25519 AAAA… you@laptop"
        onChange={(event) => {
          setProblem(undefined);
          onChange(event.target.value);
        }}
      />
    </div>
  );
}
