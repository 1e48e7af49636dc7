import { Fragment, type ReactNode } from "react";

/** What there is to know of one thing, line by line; what is not known is left out. */
export function Facts({ of }: { of: readonly (readonly [name: string, fact: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-1.5 text-sm">
      {of
        .filter(([, fact]) => fact !== null && fact !== undefined && fact !== false && fact !== "")
        .map(([name, fact]) => (
          <Fragment key={name}>
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-words">{fact}</dd>
          </Fragment>
        ))}
    </dl>
  );
}
