import type { IncomingMessage, Server as HttpServer } from "node:http";
import { BACKEND_ROLE, HandshakeAuth, type Report, type ReportName } from "@dockhost/protocol";
import { Server, type Socket } from "socket.io";
import type { Log } from "../observe/log.ts";
import type { OriginRule } from "../origin.ts";
import { Admission } from "./admission.ts";
import { Allowance } from "./allowance.ts";
import { Connection, type BadReport, type BackendIdentity } from "./connection.ts";
import { ReportQueues } from "./report-queues.ts";
import type { Registry } from "./registry.ts";

/**
 * What to do with each report. The reports of one connection come one after another, in the order they were sent; what
 * came meanwhile may be newer than one that was told (by the monotonic clock, ms) and had to wait.
 */
export type ReportListener = {
  [Name in ReportName]: (source: Connection, report: Report<Name>, toldAt: number) => Promise<void>;
} & {
  /** At the connection's end. */
  seen: (source: Connection) => Promise<void>;
};

export interface GatewayOptions {
  registry: Registry;
  listener: ReportListener;
  /** Undefined where no live key reads like this. */
  authenticate: (apiKey: string) => Promise<BackendIdentity | undefined>;
  originAllowed: OriginRule;
  log: Log;
}

/** An inventory of some 4,500 containers. */
const MAX_FRAME_BYTES = 2 * 1024 * 1024;

/** The door for backends: nothing that comes through it, however malformed, raises an exception beyond it. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #log: Log;
  readonly #io: Server;
  readonly #reports: ReportQueues<Connection>;
  readonly #admission: Admission;
  readonly #identities = new WeakMap<Socket, BackendIdentity>();
  readonly #allowances = new Map<string, Allowance>();

  constructor(server: HttpServer, options: GatewayOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#reports = new ReportQueues((source, error) => {
      this.#log.error({ ...describe(source), err: error }, "A backend's report could not be worked off.");
    });
    this.#admission = new Admission({ isBusy: () => this.#reports.isBusy });
    this.#io = new Server(server, {
      maxHttpBufferSize: MAX_FRAME_BYTES,
      serveClient: false,
      // Other paths have doors of their own.
      destroyUpgrade: false,
      // A half-open connection is noticed in 45 s.
      pingInterval: 25_000,
      pingTimeout: 20_000,
      allowRequest: (request, allow) => this.#receive(request, (admitted) => allow(null, admitted)),
    });
    this.#io.use((socket, next) => void this.#admit(socket).then(next));
    this.#io.on("connection", (socket) => void this.#welcome(socket));
  }

  /** The backends see their transport close, which their clients answer by connecting again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#admission[Symbol.dispose]();
    await this.#io.close();
    await this.#reports.idle();
  }

  #receive(request: IncomingMessage, allow: (admitted: boolean) => void): void {
    const { origin, host } = request.headers;
    if (this.#options.originAllowed(origin, host)) this.#admission.ask(request, allow);
    else allow(false);
  }

  /** The error to refuse the connection with. */
  async #admit(socket: Socket): Promise<Error | undefined> {
    const { auth, query, address } = socket.handshake;
    try {
      if (query.role !== BACKEND_ROLE) return new Error(`Only connections with the role "${BACKEND_ROLE}" are served`);
      const { success, data } = HandshakeAuth.safeParse(auth);
      const identity = success ? await this.#options.authenticate(data.DOCKHOST_API_KEY) : undefined;
      if (identity) this.#identities.set(socket, identity);
      else this.#log.warn({ address }, "A backend was refused: its key is not a live one.");
      return identity ? undefined : new Error("Authentication failed");
    } catch (error) {
      this.#log.error({ err: error, address }, "A backend's key could not be checked.");
      return new Error("The main server could not check the key");
    }
  }

  async #welcome(socket: Socket): Promise<void> {
    const identity = this.#identities.get(socket);
    if (!identity) return void socket.disconnect(true);
    const auth = HandshakeAuth.parse(socket.handshake.auth);
    const connection = new Connection(socket, identity, auth.agentId);
    this.#follow(connection);
    this.#options.registry.add(connection);
    this.#log.info({ ...describe(connection), version: auth.version }, "A backend connected.");
    await this.#endIfRevoked(connection, auth.DOCKHOST_API_KEY);
  }

  /** The key may have been revoked between the check of the handshake and the entry in the registry. */
  async #endIfRevoked(connection: Connection, apiKey: string): Promise<void> {
    const identity = await this.#options.authenticate(apiKey).catch(() => undefined);
    if (identity?.keyId !== connection.keyId) connection.end();
  }

  #follow(connection: Connection): void {
    const { registry, listener } = this.#options;
    const complainedOf = new Set<ReportName>();
    const allowance = this.#allowanceOf(connection.backendId);
    connection.limitReports(
      (event) => allowance.take(event),
      () => this.#log.warn(describe(connection), "A backend reports too much at once: its connection is ended."),
    );
    connection.onReports(
      (name, report) => {
        if (name === "backend-status") registry.heard(connection, report as Report<"backend-status">);
        const toldAt = performance.now();
        const work = () => handle(listener, name, connection, report, toldAt);
        if (name === "inventory") this.#reports.addInventory(connection, work);
        else this.#reports.add(connection, work);
      },
      (bad) => this.#complainOnce(connection, bad, complainedOf),
    );
    connection.onEnd((reason) => {
      const current = registry.remove(connection);
      this.#log.info({ ...describe(connection), reason, current }, "A backend disconnected.");
      if (current) this.#reports.add(connection, () => listener.seen(connection));
    });
  }

  #allowanceOf(backendId: string): Allowance {
    const allowance = this.#allowances.get(backendId) ?? new Allowance();
    this.#allowances.set(backendId, allowance);
    return allowance;
  }

  #complainOnce(connection: Connection, { name, problem }: BadReport, complainedOf: Set<ReportName>): void {
    if (complainedOf.has(name)) return;
    complainedOf.add(name);
    this.#log.warn(
      { ...describe(connection), report: name, problem },
      "A backend's report breaks the contract: ignored.",
    );
  }
}

const describe = ({ backendId, remoteAddress }: Connection) => ({ backendId, remoteAddress });

function handle(
  listener: ReportListener,
  name: ReportName,
  source: Connection,
  report: unknown,
  toldAt: number,
): Promise<void> {
  const work = listener[name] as (source: Connection, report: unknown, toldAt: number) => Promise<void>;
  return work.call(listener, source, report, toldAt);
}
