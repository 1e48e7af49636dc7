import { useEffect, type ReactNode } from "react";
import { ThemeSwitch, Wordmark } from "./frame.tsx";

/** The page of who is not signed in. */
export function Door({ title, about, children }: { title: string; about: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · DockHost`;
  }, [title]);
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex items-center justify-between p-4 sm:p-6">
        <span className="text-lg font-semibold tracking-tight">
          <Wordmark />
        </span>
        <ThemeSwitch />
      </header>
      <main className="mx-auto grid w-full max-w-sm grow content-start gap-6 p-4 pt-8 sm:pt-16">
        <div className="grid gap-1.5">
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          <p className="text-muted">{about}</p>
        </div>
        {children}
      </main>
    </div>
  );
}
