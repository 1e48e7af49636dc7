import { createSocket } from "node:dgram";
import { once } from "node:events";

const HEADER_BYTES = 12;
const TYPE_A = 1;

/** A DNS server at `address`, port 53, to which every name is at `answer`. */
export async function nameServer(address: string, answer: string): Promise<AsyncDisposable> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => socket.send(reply(query, answer), from.port, from.address));
  socket.bind(53, address);
  await once(socket, "listening");
  return {
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

/** RFC 1035: the question again, and behind it one record for IPv4, none for any other type. */
function reply(query: Buffer, answer: string): Buffer {
  const questionEnds = query.indexOf(0, HEADER_BYTES) + 5;
  const isForIPv4 = query.readUInt16BE(questionEnds - 4) === TYPE_A;
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x81_80, 2); // an answer, recursion desired and available
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isForIPv4 ? 1 : 0, 6);
  header.fill(0, 8);
  // Name as in the question, A, IN, 1 s, 4 bytes.
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 1, 0, 4, ...answer.split(".").map(Number)]);
  return Buffer.concat([header, query.subarray(HEADER_BYTES, questionEnds), ...(isForIPv4 ? [record] : [])]);
}
