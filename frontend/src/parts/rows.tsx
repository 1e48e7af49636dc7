import type { ReactNode } from "react";

/** A list of things that are told in a line or two each. */
export function Rows({ children }: { children: ReactNode }) {
  return <ul className="divide-y divide-line">{children}</ul>;
}

export function Row({ children }: { children: ReactNode }) {
  return <li className="flex flex-wrap items-center justify-between gap-3 py-2.5">{children}</li>;
}
