import type { Instance } from "@dockhost/protocol/rest";

type Ssh = NonNullable<Instance["ssh"]>;

/** By what `ssh` may call an instance on the backend of that name, which may be in any writing: no option, no pattern. */
export const aliasOf = (backend: string): string =>
  backend
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "") || "dockhost";

/** Its lines for `~/.ssh/config`. */
export const configOf = (backend: string, { host, port, user }: Ssh): string =>
  [`Host ${aliasOf(backend)}`, `  HostName ${host}`, `  Port ${port}`, `  User ${user}`].join("\n");
