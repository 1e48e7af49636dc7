import { useEffect, type ReactNode } from "react";
import { Link, type LinkProps } from "@tanstack/react-router";

interface PageProps {
  title: string;
  /** Beside the title. */
  mark?: ReactNode;
  actions?: ReactNode;
  /** Where the page above it is. */
  above?: { to: LinkProps["to"]; title: string };
  /** Takes all the height that there is, as a terminal does. */
  full?: boolean;
  children: ReactNode;
}

export function Page({ title, mark, actions, above, full = false, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · DockHost`;
  }, [title]);
  return (
    <div className={`mx-auto flex w-full max-w-5xl flex-col gap-5 p-4 sm:p-6 lg:p-8 ${full ? "grow" : ""}`}>
      <header className="flex flex-wrap items-end justify-between gap-3">
        <div className="min-w-0">
          {above && (
            <Link to={above.to} className="text-sm text-muted underline-offset-4 hover:underline">
              ← {above.title}
            </Link>
          )}
          <div className="flex flex-wrap items-center gap-x-3">
            <h1 className="text-2xl font-semibold tracking-tight break-words">{title}</h1>
            {mark}
          </div>
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page that has a name. */
export function Panel({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="grid gap-3 rounded-lg border border-line bg-surface p-4 sm:p-5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold">{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** Nothing there yet, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-3 rounded-lg border border-dashed border-edge px-4 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children}
    </div>
  );
}
