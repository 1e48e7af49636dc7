import { isIP, isIPv4 } from "node:net";

/** Each reader turns one variable's text into its value, or into undefined where the text is not one. */

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes, as Docker writes them: `512m`, `1g`, `67108864`. */
export function readSize(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,15})([bkmg]?)$/.exec(text.toLowerCase()) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? NaN);
  return digits !== "" && Number.isSafeInteger(bytes) ? bytes : undefined;
}

export interface PortRange {
  first: number;
  /** The last port that may be used, itself included. */
  last: number;
}

/** `1024-32767`: both ends included, room for one triple at least. */
export function readPortRange(text: string): PortRange | undefined {
  const [, low = "", high = ""] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  const [first, last] = [Number(low), Number(high)];
  return first >= 1 && last <= 65_535 && last - first >= 2 ? { first, last } : undefined;
}

/** The main server's address with the scheme that Socket.IO dials; a secret in it would end up in logs. */
export function readMainServerUrl(text: string): string | undefined {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text.replace(/^ws(s?):/i, "http$1:") : `http://${text}`;
  const { url } = readWebAddress(address) ?? {};
  return url && url.origin + url.pathname.replace(/\/+$/, "");
}

export type EngineAddress =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls: boolean };

/** Docker's registered ports, without and with TLS. */
const ENGINE_PORT = 2375;
const ENGINE_TLS_PORT = 2376;

/** `DOCKER_HOST` as Docker's own command line reads it, but for ssh and Windows pipes. */
export function readEngineAddress(text: string): EngineAddress | undefined {
  const [, socketPath] = /^unix:\/\/(\/[^\0]+)$/.exec(text) ?? [];
  if (socketPath !== undefined) return { kind: "unix", socketPath };
  const { url, port } = readWebAddress(text.replace(/^tcp:/, "http:")) ?? {};
  if (url?.pathname !== "/") return undefined;
  const tls = url.protocol === "https:";
  const standardPort = tls ? ENGINE_TLS_PORT : ENGINE_PORT;
  return { kind: "tcp", host: url.hostname.replace(/^\[|\]$/g, ""), port: port ?? standardPort, tls };
}

/** Without user, password, query and fragment: the places where secrets are put into addresses. */
const WEB_ADDRESS =
  /^https?:\/\/(?<host>\[[0-9a-f:.]+\]|[^\s\p{Cc}:/?#@[\]\\]+)(?::(?<port>\d{1,5}))?(?:\/[^\s\p{Cc}?#\\]*)?$/iu;

interface WebAddress {
  url: URL;
  /** As written: URL drops it where it is the scheme's own, and for the Engine 80 is not the default. */
  port: number | undefined;
}

/** Stricter than URL, which mends what it reads: `3001` becomes 0.0.11.185, and white space within is dropped. */
function readWebAddress(text: string): WebAddress | undefined {
  const { host, port } = WEB_ADDRESS.exec(text)?.groups ?? {};
  if (host === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isAnotherHost = isIPv4(url.hostname) && url.hostname !== host;
  if (isAnotherHost || Number(port) === 0) return undefined;
  return { url, port: port === undefined ? undefined : Number(port) };
}

// https://pkg.go.dev/github.com/distribution/reference: [domain/]path[:tag][@digest]
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const DOMAIN = `(?:localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:))(?::\\d{1,5})?`;
const COMPONENT = "[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*";
const NAME = `(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*`;
const REFERENCE = new RegExp(`^${NAME}(?<tag>:\\w[\\w.-]{0,127})?(?<digest>@sha256:[0-9a-f]{64})?$`);
const MAX_REFERENCE_LENGTH = 512;

/** A Docker image reference that names one image: without tag and digest a pull would fetch every tag there is. */
export function readImage(text: string): string | undefined {
  const parts = text.length > MAX_REFERENCE_LENGTH ? null : REFERENCE.exec(text);
  if (parts === null) return undefined;
  const { tag, digest } = parts.groups ?? {};
  return tag === undefined && digest === undefined ? `${text}:latest` : text;
}

/** `name=reference,…`: what the main server may ask for, by name. */
export function readImages(text: string): Readonly<Record<string, string>> | undefined {
  // Without a prototype: "constructor" is a good name for an image, and must not be found where it was not given.
  const images = Object.create(null) as Record<string, string>;
  for (const entry of text.split(",")) {
    const [, name = "", reference = ""] = /^([a-z0-9][a-z0-9._-]{0,62})=(.+)$/.exec(entry.trim()) ?? [];
    const image = readImage(reference);
    if (image === undefined || name in images) return undefined;
    images[name] = image;
  }
  return images;
}

/** Brackets and zones belong to URLs and to one machine's interfaces; the Engine takes neither. */
export const isBindAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes("%");
