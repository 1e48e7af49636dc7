import { generateKeyPairSync, randomBytes } from "node:crypto";
import { hostKeyOf, type ShownHostKey } from "./host-key.ts";

/** An Ed25519 host key in OpenSSH's files. */
export interface HostKeyPair {
  /** Of `ssh_host_ed25519_key`. */
  privateFile: string;
  /** Of `ssh_host_ed25519_key.pub`. */
  publicFile: string;
  /** As sshd will show it. */
  shown: ShownHostKey;
}

const TYPE = "ssh-ed25519";
/** What an unencrypted private part is padded to, bytes. */
const BLOCK = 8;
const LINE_LENGTH = 70;

/** Makes a host key: a hundred times quicker than an ssh-keygen that has to be started for it. */
export function newHostKeyPair(): HostKeyPair {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const blob = Buffer.concat([string(TYPE), string(point)]);
  return {
    privateFile: armoured(privateKeyOf(seed, point, blob)),
    publicFile: `${TYPE} ${blob.toString("base64")}\n`,
    shown: hostKeyOf(blob),
  };
}

/** As OpenSSH's PROTOCOL.key has it, without a passphrase and a comment. */
function privateKeyOf(seed: Buffer, point: Buffer, blob: Buffer): Buffer {
  const check = randomBytes(4);
  const secret = [check, check, string(TYPE), string(point), string(Buffer.concat([seed, point])), string("")];
  const length = secret.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const padding = Buffer.from(Array.from({ length: -length & (BLOCK - 1) }, (_, index) => index + 1));
  const head = [Buffer.from("openssh-key-v1\0"), string("none"), string("none"), string(""), number(1), string(blob)];
  return Buffer.concat([...head, string(Buffer.concat([...secret, padding]))]);
}

function armoured(key: Buffer): string {
  const lines = key.toString("base64").match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

/** SSH's `string`: its length before it. */
const string = (content: string | Buffer): Buffer => Buffer.concat([number(content.length), Buffer.from(content)]);

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
