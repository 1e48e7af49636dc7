import { hostname } from "node:os";
import proxyAddr from "@fastify/proxy-addr";
import { BackendClient, type Patience } from "./backends/backend-client.ts";
import { Gateway } from "./backends/gateway.ts";
import { Registry } from "./backends/registry.ts";
import { StreamDoor } from "./backends/stream-door.ts";
import type { Config } from "./config.ts";
import { ControlSocket } from "./control/control-socket.ts";
import { Doors } from "./http/doors.ts";
import { BUILT_PAGE } from "./http/page.ts";
import { createHttp, type RateLimits } from "./http/server.ts";
import { ViewerDoor } from "./http/viewer-door.ts";
import { createLog, type Log } from "./observe/log.ts";
import { originRule } from "./origin.ts";
import { Accounts } from "./services/accounts.ts";
import { Audit } from "./services/audit.ts";
import { Backends } from "./services/backends.ts";
import { InstanceCommands } from "./services/instance-commands.ts";
import { Instances } from "./services/instances.ts";
import { Invitations } from "./services/invitations.ts";
import { Keys } from "./services/keys.ts";
import { ensureLocalBackend } from "./services/local-backend.ts";
import { News } from "./services/news.ts";
import { Operations } from "./services/operations.ts";
import { Passwords } from "./services/passwords.ts";
import { Restores } from "./services/restores.ts";
import { Resync } from "./services/resync.ts";
import { SavedKeys } from "./services/saved-keys.ts";
import { SessionWatch } from "./services/session-watch.ts";
import { SignupPolicy } from "./services/signup-policy.ts";
import { Streams } from "./services/streams.ts";
import { UnknownContainers } from "./services/unknown-containers.ts";
import { Users } from "./services/users.ts";
import { Store } from "./store/store.ts";
import { VERSION } from "./version.ts";

export interface MainServer extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly signup: SignupPolicy["state"];
  /** With which the first account is made, while sign-up is closed and there is none. */
  readonly firstAccountToken: string | undefined;
}

/** What a test may set otherwise. */
export interface Overrides {
  log?: Log;
  limits?: Partial<RateLimits>;
  patience?: Partial<Patience>;
  /** After how long without a status a backend is offline. */
  silenceMs?: number;
  /** Where the built page is. */
  pageDirectory?: string;
}

const LIMITS: RateLimits = { requests: 3_000, signUps: 60, signIns: 60, failedSignIns: 20 };

const MINUTE_MS = 60_000;
const PATIENCE: Patience = {
  reconnectMs: 30_000,
  createMs: 16 * MINUTE_MS,
  commandMs: 2 * MINUTE_MS,
  listMs: 5_000,
};
const SILENCE_MS = 45_000;

/** Puts the main server together and opens its doors. Throws ListenError. */
export async function createMainServer(config: Config, overrides: Overrides = {}): Promise<MainServer> {
  const log = overrides.log ?? createLog(config.log);
  const store = await Store.open(config.dataDir);
  try {
    return await assemble(config, overrides, log, store);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function assemble(config: Config, overrides: Overrides, log: Log, store: Store): Promise<MainServer> {
  const registry = new Registry(overrides.silenceMs ?? SILENCE_MS);
  const client = new BackendClient(registry, { ...PATIENCE, ...overrides.patience }, log);
  const operations = new Operations();
  const unknown = new UnknownContainers();
  const keys = new Keys(store, registry);
  const news = new News();
  store.instances.onChange((userId) => news.instancesChanged(userId));
  const commands = new InstanceCommands(store.instances, client, operations, log);
  const signup = new SignupPolicy(config.signup === "open", await store.accounts.any());
  const trusted = proxyAddr.compile([...config.trustProxy]);
  const originAllowed = originRule(config.publicUrl, config.listen);

  const { localBackendKeyFile: keyFile } = config;
  const ensureLocal = async () => {
    if (keyFile !== undefined) await ensureLocalBackend({ store, keys, log }, hostname(), keyFile);
  };
  await ensureLocal();

  const watch = new SessionWatch(store.sessions, log);
  const audit = new Audit(store, log);
  const accounts = new Accounts({ store, passwords: await Passwords.create(), policy: signup, watch });
  const app = await createHttp({
    accounts,
    users: new Users(store, watch),
    invitations: new Invitations(store),
    audit,
    backends: new Backends({ client, store, registry, keys, unknown }),
    instances: new Instances({ store, registry, commands }),
    savedKeys: new SavedKeys(store),
    news,
    check: () => store.check(),
    publicTls: config.publicUrl?.startsWith("https://") ?? false,
    limits: { ...LIMITS, ...overrides.limits },
    trustProxy: config.trustProxy,
    version: VERSION,
    pageDirectory: overrides.pageDirectory ?? BUILT_PAGE,
    originAllowed,
    log,
  });
  const gateway = new Gateway(app.server, {
    listener: new Resync({ store, registry, operations, commands, unknown, news, log }),
    authenticate: (apiKey) => keys.authenticate(apiKey),
    registry,
    originAllowed,
    log,
  });
  const streamDoor = new StreamDoor(app.server);
  const streams = new Streams({ store, client, door: streamDoor, audit, log });
  const viewerDoor = new ViewerDoor(app.server, {
    accounts,
    streams,
    originAllowed,
    parseCookies: (header) => app.parseCookie(header),
    addressOf: (request) => proxyAddr(request, trusted),
  });
  const restores = new Restores({ store, registry, signup, ensureLocalBackend: ensureLocal, log });
  const control = await ControlSocket.open(store.dataDir, { restore: (staged) => restores.restore(staged) });
  if (!control) log.warn("The data directory's path is too long for a socket: a restore needs this server stopped.");
  const doors = await Doors.open(app.server, config.listen, log);
  for (const url of doors.urls) log.info({ url }, "The main server listens.");

  return {
    urls: doors.urls,
    signup: signup.state,
    firstAccountToken: signup.firstAccountToken,
    // Socket.IO before fastify, which otherwise waits for its connections; the store when nobody writes any more.
    async [Symbol.asyncDispose]() {
      await control?.[Symbol.asyncDispose]();
      client.close();
      watch[Symbol.dispose]();
      viewerDoor[Symbol.dispose]();
      streamDoor[Symbol.dispose]();
      const closed = doors[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      await closed;
      await app.close();
      await operations.idle();
      await audit[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      log.info("The main server has closed.");
    },
  };
}
