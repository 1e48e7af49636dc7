import { Link, type LinkProps } from "@tanstack/react-router";

export interface Tab {
  name: string;
  to: LinkProps["to"];
  params: Record<string, string>;
}

/** The views of one thing; each has an address of its own. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <nav aria-label={label} className="-mb-1 overflow-x-auto border-b border-line">
      <ul className="flex gap-1">
        {tabs.map(({ name, to, params }) => (
          <li key={name}>
            <Link
              to={to}
              params={params as never}
              activeOptions={{ exact: true }}
              activeProps={{ className: "border-accent text-ink" }}
              inactiveProps={{ className: "border-transparent text-muted hover:text-ink" }}
              className="-outline-offset-2! block border-b-2 px-3 py-2 text-sm font-medium whitespace-nowrap"
            >
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
