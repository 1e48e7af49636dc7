import type { ReactNode } from "react";
import { Link, useNavigate, type LinkProps } from "@tanstack/react-router";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { User } from "@dockhost/protocol/rest";
import { api } from "../api/http.ts";
import { useLine, useNews } from "../api/news.ts";
import { forgetEverything } from "../api/queries.ts";
import { Button } from "./button.tsx";
import { chooseTheme, useTheme } from "./theme.ts";
import { Time } from "./time.tsx";

interface Place {
  name: string;
  to: LinkProps["to"];
}

const PLACES: readonly Place[] = [
  { name: "Instances", to: "/instances" },
  { name: "Backends", to: "/backends" },
  { name: "History", to: "/history" },
  { name: "Account", to: "/account" },
];
const PEOPLE: Place = { name: "People", to: "/people" };

/** What stands round every page of who is signed in. */
export function Frame({ user, children }: { user: User; children: ReactNode }) {
  useNews();
  const places = user.role === "admin" ? [...PLACES, PEOPLE] : PLACES;
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a
        href="#main"
        className="absolute top-2 left-2 z-20 -translate-y-20 rounded-md bg-accent px-3 py-2 text-accent-ink focus:translate-y-0"
      >
        Skip to the page
      </a>
      <div className="border-b border-line bg-surface md:w-56 md:shrink-0 md:border-r md:border-b-0">
        <div className="md:sticky md:top-0 md:flex md:h-dvh md:flex-col">
          <div className="flex items-center justify-between gap-2 px-4 pt-3 md:pt-5">
            <Link to="/instances" className="rounded-sm text-lg font-semibold tracking-tight">
              <Wordmark />
            </Link>
            <div className="md:hidden">
              <SignOut />
            </div>
          </div>
          <nav aria-label="Main" className="overflow-x-auto px-2 py-2 md:grow md:py-4">
            <ul className="flex gap-1 md:flex-col">
              {places.map(({ name, to }) => (
                <li key={name}>
                  <Link
                    to={to}
                    activeProps={{ className: "bg-raised text-ink" }}
                    inactiveProps={{ className: "text-muted hover:bg-raised hover:text-ink" }}
                    className="-outline-offset-2! block rounded-md px-3 py-1.5 font-medium whitespace-nowrap"
                  >
                    {name}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <div className="hidden gap-2 border-t border-line p-4 md:grid">
            <p className="truncate text-sm text-muted">
              Signed in as <span className="font-medium text-ink">{user.username}</span>
            </p>
            <div className="flex items-center justify-between gap-2">
              <ThemeSwitch />
              <SignOut />
            </div>
          </div>
        </div>
      </div>
      <main id="main" tabIndex={-1} className="flex min-w-0 grow flex-col outline-none">
        <LineBanner />
        {children}
      </main>
    </div>
  );
}

export function Wordmark() {
  return (
    <span className="inline-flex items-center gap-2">
      <span aria-hidden className="rounded-md bg-accent px-1.5 font-mono text-sm leading-6 text-accent-ink">
        &gt;_
      </span>
      DockHost
    </span>
  );
}

const NEXT = { system: "light", light: "dark", dark: "system" } as const;
const NAMES = { system: "Auto", light: "Light", dark: "Dark" };

export function ThemeSwitch() {
  const theme = useTheme();
  return (
    <Button
      kind="quiet"
      size="small"
      aria-label={`Theme: ${NAMES[theme]}; change to ${NAMES[NEXT[theme]]}`}
      onClick={() => chooseTheme(NEXT[theme])}
    >
      {NAMES[theme]}
    </Button>
  );
}

function SignOut() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const out = useMutation({
    mutationFn: api.signOut,
    onSuccess: async () => {
      await navigate({ to: "/sign-in" });
      await forgetEverything(client);
    },
  });
  return (
    <Button kind="quiet" size="small" busy={out.isPending} onClick={() => out.mutate()}>
      Sign out
    </Button>
  );
}

/** Said only while there is something to say; it lies over the page, which does not move. */
function LineBanner() {
  const line = useLine();
  return (
    <div role="status" className="fixed inset-x-4 bottom-4 z-10 mx-auto w-fit">
      {line.state === "lost" && (
        <p className="rounded-md border border-warn bg-surface px-4 py-2 text-sm shadow-lg">
          The main server is out of reach; it was lost <Time at={new Date(line.since).toISOString()} />. What you see
          may be old; this page tries again by itself.
        </p>
      )}
    </div>
  );
}
