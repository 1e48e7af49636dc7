import { Suspense, type ReactNode } from "react";
import { Empty } from "./page.tsx";
import { Spinner } from "./button.tsx";

/** What needs a running instance, and is loaded when it is first shown. It fills the height that is left. */
export function WhileRunning({ state, what, children }: { state: string; what: string; children: ReactNode }) {
  if (state !== "running") return <Empty title={`${what} when the instance runs; it is ${state} now.`} />;
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
