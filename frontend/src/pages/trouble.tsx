import type { ReactNode } from "react";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { Button, ButtonLink } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";

export function NothingHere() {
  return (
    <Alone title="There is nothing here">
      <p className="text-muted">The address may be mistyped, or what it led to has been deleted.</p>
      <ButtonLink to="/instances" kind="primary">
        Go to your instances
      </ButtonLink>
    </Alone>
  );
}

export function Trouble({ error }: ErrorComponentProps) {
  return (
    <Alone title="This page could not be shown">
      <div role="alert">
        <Note tone="bad">{error instanceof Error ? error.message : "Something unforeseen has happened."}</Note>
      </div>
      <Button kind="primary" onClick={() => window.location.reload()}>
        Try again
      </Button>
    </Alone>
  );
}

function Alone({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="mx-auto grid max-w-md justify-items-start gap-4 p-6 pt-24">
      <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
      {children}
    </main>
  );
}
