import { Suspense, useState, type ReactNode } from "react";
import { Empty } from "./page.tsx";
import { Spinner } from "./button.tsx";

interface WhileRunningProps {
  state: string;
  what: string;
  /** It stays while its backend is out of reach, with what is on it; that it is cut off it tells by itself. */
  kept?: boolean;
  children: ReactNode;
}

/** What needs a running instance, and is loaded when it is first shown. It fills the height that is left. */
export function WhileRunning({ state, what, kept = false, children }: WhileRunningProps) {
  const [isShown, setShown] = useState(false);
  const shows = state === "running" || (kept && isShown && state === "unreachable");
  if (shows !== isShown) setShown(shows);
  if (!shows) return <Empty title={`${what} when the instance runs; it is ${state} now.`} />;
  return <Loaded>{children}</Loaded>;
}

export function Loaded({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-96 grow flex-col">
      <Suspense
        fallback={
          <p role="status" className="flex items-center gap-2 text-sm text-muted">
            <Spinner /> Loading…
          </p>
        }
      >
        {children}
      </Suspense>
    </div>
  );
}
