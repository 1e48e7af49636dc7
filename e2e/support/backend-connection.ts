import type { Socket } from "socket.io";
import {
  parseReply,
  type CommandData,
  type CommandInput,
  type CommandName,
  type ErrorCode,
  type Failure,
  type Reply,
} from "@dockhost/protocol";
import { EventRecord } from "./event-record.ts";

/** One connection of a backend, as its main server holds it. */
export class BackendConnection {
  readonly socket: Socket;
  readonly said = new EventRecord();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.onAny((name: string, payload: unknown) => this.said.add(name, payload));
  }

  get isOpen(): boolean {
    return this.socket.connected;
  }

  /** Sends whatever is given and answers what the callback gets, unparsed. */
  raw(event: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.socket.timeout(120_000).emitWithAck(event, ...args);
  }

  /** The reply to `input`, checked against the contract. */
  async reply<Name extends CommandName>(command: Name, input: CommandInput<Name>): Promise<Reply<Name>> {
    return parseReply(command, await this.raw(command, input));
  }

  /** The data of a success; throws on any failure. */
  async succeed<Name extends CommandName>(command: Name, input: CommandInput<Name>): Promise<CommandData<Name>> {
    const reply = await this.reply(command, input);
    if (!reply.success) throw new Error(`${command}: ${JSON.stringify(reply)}`);
    return reply.data;
  }

  /** The failure that `input`, of any shape, meets; throws on a success and on another code. */
  async refusal(command: CommandName, code: ErrorCode, input: unknown): Promise<Failure> {
    const reply = parseReply(command, await this.raw(command, input));
    if (reply.success || reply.error.code !== code)
      throw new Error(`${command}, not ${code}: ${JSON.stringify(reply)}`);
    return reply;
  }
}
