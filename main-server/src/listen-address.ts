import { isIPv4 } from "node:net";

export interface ListenAddress {
  host: string;
  port: number;
  /** An address that is not is passed over where it is taken. */
  required: boolean;
}

const ADDRESS = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<host>[^\s:[\]]+)):(?<port>\d{1,5})$/;

/** Reads `host:port` or `[v6]:port`; undefined where it is neither. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const groups = ADDRESS.exec(text.trim())?.groups;
  const host = groups?.v6 ?? groups?.host;
  const port = Number(groups?.port);
  return host === undefined || port > 65_535 ? undefined : { host, port, required: true };
}

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127.")) || host.startsWith("::ffff:127.");

export const toUrl = (host: string, port: number): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
