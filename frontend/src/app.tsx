import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
  RouterProvider,
  useLocation,
  useNavigate,
} from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { ahead, untilReady, type Ahead } from "./ahead.ts";
import { ApiError } from "./api/http.ts";
import { queries, unlessGone } from "./api/queries.ts";
import { AccountPage } from "./pages/account.tsx";
import { BackendContainersView } from "./pages/backend-containers.tsx";
import { BackendKeysView } from "./pages/backend-keys.tsx";
import { BackendLogView } from "./pages/backend-log.tsx";
import { BackendOverview } from "./pages/backend-overview.tsx";
import { BackendSettings } from "./pages/backend-settings.tsx";
import { BackendPage } from "./pages/backend.tsx";
import { BackendsPage } from "./pages/backends.tsx";
import { HistoryPage } from "./pages/history.tsx";
import { InstanceActivity } from "./pages/instance-activity.tsx";
import { InstanceConnect } from "./pages/instance-connect.tsx";
import { InstanceLogs } from "./pages/instance-logs.tsx";
import { InstanceSettings } from "./pages/instance-settings.tsx";
import { InstanceTerminal } from "./pages/instance-terminal.tsx";
import { InstancePage } from "./pages/instance.tsx";
import { InstancesPage } from "./pages/instances.tsx";
import { NewBackendPage } from "./pages/new-backend.tsx";
import { NewInstancePage } from "./pages/new-instance.tsx";
import { PeoplePage } from "./pages/people.tsx";
import { SignInPage } from "./pages/sign-in.tsx";
import { SignUpPage } from "./pages/sign-up.tsx";
import { NothingHere, Trouble } from "./pages/trouble.tsx";
import { Frame } from "./parts/frame.tsx";

const client = new QueryClient({
  defaultOptions: { queries: { retry: unlessGone }, mutations: { retry: false } },
});

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NothingHere,
  errorComponent: Trouble,
});

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: ({ from }): { from?: string | undefined } => ({ from: text(from) }),
  component: SignInPage,
});
const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  validateSearch: ({ token }): { token?: string | undefined } => ({ token: text(token) }),
  component: SignUpPage,
});

/** For who is signed in; anybody else signs in first, and then comes back. It asks while the loaders beneath do. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  loader: {
    handler: async ({ context, location }) => {
      try {
        await context.client.query({ ...queries.me(), staleTime: "static" });
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "UNAUTHENTICATED") throw error;
        redirect({ to: "/sign-in", search: { from: location.href }, throw: true });
      }
    },
    // Who has signed out and goes back is not shown anything before that is known.
    staleReloadMode: "blocking",
  },
  component: SignedIn,
  errorComponent: Trouble,
});

function SignedIn() {
  const { data: user, error } = useQuery(queries.me());
  const navigate = useNavigate();
  const { href } = useLocation();
  const ended = error instanceof ApiError && error.code === "UNAUTHENTICATED";
  useEffect(() => {
    if (!ended) return;
    client.clear();
    void navigate({ to: "/sign-in", search: { from: href } });
  }, [ended, href, navigate]);
  if (!user) return null;
  return (
    <Frame user={user}>
      <Outlet />
    </Frame>
  );
}

type View = () => ReactNode;

const page = <const Path extends string>(path: Path, component: View, needs?: Ahead) =>
  createRoute({ getParentRoute: () => signedIn, path, component, loader: (asked) => untilReady(needs, asked) });

const instance = page("/instances/$id", InstancePage, ahead.instance);
const ofInstance = <const Path extends string>(path: Path, component: View, needs?: Ahead) =>
  createRoute({ getParentRoute: () => instance, path, component, loader: (asked) => untilReady(needs, asked) });

const backend = page("/backends/$id", BackendPage, ahead.backend);
const ofBackend = <const Path extends string>(path: Path, component: View, needs?: Ahead) =>
  createRoute({ getParentRoute: () => backend, path, component, loader: (asked) => untilReady(needs, asked) });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => redirect({ to: "/instances", throw: true }),
});

const router = createRouter({
  routeTree: root.addChildren([
    home,
    signIn,
    signUp,
    signedIn.addChildren([
      page("/instances", InstancesPage, ahead.instances),
      page("/instances/new", NewInstancePage),
      instance.addChildren([
        ofInstance("/", InstanceConnect),
        ofInstance("/terminal", InstanceTerminal, ahead.terminal),
        ofInstance("/logs", InstanceLogs, ahead.log),
        ofInstance("/activity", InstanceActivity, ahead.activity),
        ofInstance("/settings", InstanceSettings),
      ]),
      page("/backends", BackendsPage, ahead.backends),
      page("/backends/new", NewBackendPage),
      backend.addChildren([
        ofBackend("/", BackendOverview, ahead.overview),
        ofBackend("/containers", BackendContainersView, ahead.containers),
        ofBackend("/log", BackendLogView, ahead.log),
        ofBackend("/keys", BackendKeysView, ahead.keys),
        ofBackend("/settings", BackendSettings),
      ]),
      page("/history", HistoryPage),
      page("/account", AccountPage, ahead.account),
      page("/people", PeoplePage),
    ]),
  ]),
  context: { client },
  defaultPreload: "intent",
  // What was read is kept by the query client, which knows when it is too old.
  defaultPreloadStaleTime: 0,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

export function App() {
  return (
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
