import { useEffect, useState } from "react";
import { Button } from "./button.tsx";
import { writeClipboard } from "./clipboard.ts";

const SAID_FOR_MS = 2_000;

/** Copies `text`; where the browser does not let it, the text stands there to be selected. */
function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState<"copied" | "select it by hand">();
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => setSaid(undefined), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => void writeClipboard(text).then((isThere) => setSaid(isThere ? "copied" : "select it by hand"));
  return (
    <>
      <Button size="small" aria-label={`Copy ${label}`} onClick={copy} className="min-w-18">
        {said === "copied" ? "Copied" : "Copy"}
      </Button>
      <span role="status" className="sr-only">
        {said !== undefined && `${label}: ${said}`}
      </span>
    </>
  );
}

/** Lines to be run or stored elsewhere, as they are. */
export function CopyBlock({ text, label, wrap = false }: { text: string; label: string; wrap?: boolean }) {
  return (
    <div className="flex items-start gap-2 rounded-md border border-line bg-raised p-1.5 pl-3">
      <pre
        tabIndex={0}
        aria-label={label}
        className={`min-w-0 grow overflow-x-auto py-1 font-mono text-sm ${wrap ? "break-all whitespace-pre-wrap" : ""}`}
      >
        {text}
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
