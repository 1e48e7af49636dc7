import { once } from "node:events";
import type { Socket as ClientSocket } from "socket.io-client";
import type { Socket } from "socket.io";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MainServerDouble } from "../../test/main-server-double.ts";
import { createLog } from "../observe/log.ts";
import { Connection } from "./connection.ts";

const MAX_FRAME_BYTES = 64 * 1024;
const QUICKLY = { lost: { first: 5, last: 20 }, refused: { first: 5, last: 20 } };

const TOO_LONG = "The main server sent a frame of more than 64 KiB, which ended the connection";
const BINARY = "The main server sent a binary frame, which ended the connection";
const NO_PACKET = "The main server sent what is no Socket.IO packet";

type Unfit = [what: string, send: (socket: Socket) => void, sentence: string];

/** As a Socket.IO packet. */
const packet = (text: string) => (socket: Socket) => void socket.conn.write(text);
/** As a packet of Engine.IO, which carries Socket.IO's. */
const enginePacket = (type: string, data: string) => (socket: Socket) =>
  (socket.conn as unknown as { sendPacket: (type: string, data: string) => void }).sendPacket(type, data);

const UNFIT: Unfit[] = [
  ["a packet of one byte more than 64 KiB", packet(eventOf(MAX_FRAME_BYTES + 1)), TOO_LONG],
  ["a packet of many bytes in few characters", packet(`2["x","${"ü".repeat(MAX_FRAME_BYTES / 2)}"]`), TOO_LONG],
  ["a packet of 2 MiB", packet(eventOf(2 * 1024 * 1024)), TOO_LONG],
  ["an attachment", (socket) => void socket.emit("create-container", { key: Buffer.from("x") }), NO_PACKET],
  ["an attachment that never comes", packet('51-["x",{"_placeholder":true,"num":0}]'), NO_PACKET],
  ["bytes alone", (socket) => void socket.conn.write(Buffer.from("x")), BINARY],
  ["text that is no packet", packet("GET / HTTP/1.1"), NO_PACKET],
  ["an empty packet", packet(""), NO_PACKET],
  ["a packet of an unknown kind", packet("9"), NO_PACKET],
  ["an event that is cut off", packet('2["set-draining",{'), NO_PACKET],
  ["an event without a name", packet("2[{}]"), NO_PACKET],
  ["an event of a reserved name", packet('2["disconnect"]'), NO_PACKET],
  ["a refusal without words", packet("4"), NO_PACKET],
  ["a numbered refusal without words", packet("417"), NO_PACKET],
  ["a refusal in a namespace, without words", packet("4/,"), NO_PACKET],
  ["a refusal of the connection that stands", packet('4{"message":"no"}'), "Lost the main server"],
  ["a welcome without an id", packet("0"), "Lost the main server"],
  ["a handshake that is no JSON", enginePacket("open", "garbage"), NO_PACKET],
  ["a handshake of nothing", enginePacket("open", "null"), NO_PACKET],
  ["a handshake without its fields", enginePacket("open", "{}"), NO_PACKET],
];

let server: MainServerDouble;
let connection: Connection;
let logLines: string[];

afterEach(async () => {
  connection.close();
  await server[Symbol.asyncDispose]();
});

describe.each(["websocket", "polling"] as const)("over %s", (transport) => {
  beforeEach(() => begin(transport));

  it.each(UNFIT)("%s ends the connection, which then comes back", async (_, send, sentence) => {
    const socket = await connected();
    expect(socket.conn.transport.name).toBe(transport);
    const next = server.nextConnection();
    send(socket);
    expect(await commandReaches(await next)).toBe(true);
    const told = logLines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(told.filter((line) => line.startsWith(sentence))).toHaveLength(1);
    expect(told.filter((line) => line.startsWith("Connected"))).not.toEqual([]);
  });

  it("a packet of exactly 64 KiB is one like any other", async () => {
    const socket = await connected();
    const heard = once(connection.socket as unknown as NodeJS.EventEmitter, "x");
    socket.conn.write(eventOf(MAX_FRAME_BYTES));
    await heard;
    expect(connection.socket.connected).toBe(true);
  });
});

it("over polling, an answer of more packets than any server has reason to keep ends the connection too", async () => {
  await begin("polling");
  const socket = await connected();
  const next = server.nextConnection();
  for (let sent = 0; sent < 6 * 1024 * 1024; sent += MAX_FRAME_BYTES) socket.conn.write(eventOf(MAX_FRAME_BYTES));
  expect(await commandReaches(await next)).toBe(true);
});

/** A main server that takes this transport alone, and a connection that has not been opened yet. */
async function begin(transport: "websocket" | "polling"): Promise<void> {
  logLines = [];
  server = new MainServerDouble([transport]);
  await server.listen();
  const log = createLog({ format: "json", level: "info", destination: { write: (line) => logLines.push(line) } });
  const identity = { apiKey: "dkh_k", version: "1.2.3", agentId: "agent-1", lanAddress: () => "192.0.2.7" };
  connection = new Connection({ url: server.url, ...identity, log, retryMs: QUICKLY });
}

/** A Socket.IO packet of so many bytes. */
function eventOf(bytes: number): string {
  const empty = '2["x",""]';
  return `2["x","${"x".repeat(bytes - empty.length)}"]`;
}

async function connected(): Promise<Socket> {
  const first = server.nextConnection();
  connection.open();
  return first;
}

async function commandReaches(socket: Socket): Promise<boolean> {
  const { socket: backend }: { socket: ClientSocket } = connection;
  backend.on("are you there", (acknowledge: (there: boolean) => void) => acknowledge(true));
  return (await socket.timeout(5_000).emitWithAck("are you there")) as boolean;
}
