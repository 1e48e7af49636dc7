export * from "./containers.ts";
export * from "./commands.ts";
export * from "./errors.ts";
export * from "./handshake.ts";
export * from "./reports.ts";
export * from "./reply.ts";
export * from "./streams.ts";
export * from "./v2-dialect.ts";
export { parseSshPublicKey, type SshPublicKey, type SshPublicKeyResult } from "./ssh-public-key.ts";
