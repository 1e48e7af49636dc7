import { CopyBlock } from "./copy.tsx";
import { Note } from "./note.tsx";

/** An API key, which is told this once, and what to do with it on the other machine. */
export function NewKey({ apiKey }: { apiKey: string }) {
  return (
    <div className="grid gap-4">
      <Note tone="warn">
        This key is shown now and never again. Whoever has it can connect as this backend; a lost one is replaced by a
        new one.
      </Note>
      <div className="grid gap-1.5">
        <h3 className="text-sm font-medium">API key</h3>
        <CopyBlock text={apiKey} label="API key" wrap />
      </div>
      <div className="grid gap-1.5">
        <h3 className="text-sm font-medium">On the machine that you lend, in its copy of DockHost</h3>
        <CopyBlock text={commandsFor(apiKey, window.location.origin)} label="Commands" />
        <p className="text-sm text-muted">
          It needs Docker and Node 20 or newer. The key stands in a file that only you can read, not in the list of
          processes.
        </p>
      </div>
    </div>
  );
}

const commandsFor = (apiKey: string, mainServer: string): string =>
  [
    "cd backend",
    "npm install && npm run build",
    `(umask 077; printf 'DOCKHOST_API_KEY=%s\\nMAIN_SERVER_BACKEND_URL=%s\\n' '${apiKey}' '${mainServer}' > .env)`,
    "npm start",
  ].join("\n");
