import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { isBindAddress, readEngineAddress, readMainServerUrl } from "./config-values.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };

/** A part of an address as someone may write it, and what it comes to; undefined where it makes the whole unusable. */
type Part = readonly [written: string, meant: string | undefined];

const sound = (text: string): Part => [text, text];
const wrong = (...texts: string[]) => fc.constantFrom(...texts.map((text): Part => [text, undefined]));
/** Mostly sound, so that an address of several parts often is. */
const mostly = (good: fc.Arbitrary<Part>, bad: fc.Arbitrary<Part>) =>
  fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: bad });

const host = mostly(
  fc.oneof(
    fc.domain().map((name): Part => [name, name.toLowerCase()]),
    fc.ipV4().map(sound),
    fc.constantFrom<Part>(sound("localhost"), ["LOCALHOST", "localhost"], sound("[::1]"), ["[0:0::2]", "[::2]"]),
  ),
  wrong(
    ...["", "3001", "127.1", "0x7f.0.0.1", "017.0.0.1", "256.1.1.1", "4294967295", "１２７.0.0.1"],
    ...["ma in", "a\nb", "local\thost", "localhost\r", "a%20b", "a\\b", "a|b", "[::1", "::1", "[::1%eth0]", "[x]"],
    ...["user@host", "user:secret@host", "@host", "a b.example"],
  ),
);
const port = (scheme: string) =>
  mostly(
    fc.oneof(
      fc.constant<Part>(["", ""]),
      fc.integer({ min: 1, max: 65_535 }).map((n): Part => [`:${n}`, n === STANDARD_PORTS[scheme] ? "" : `:${n}`]),
    ),
    wrong(
      ":",
      ":0",
      ":00",
      ":65536",
      ":99999",
      ":8o",
      ":-1",
      ":+80",
      ": 80",
      ":8\t0",
      ":80:80",
      ":0000000080",
      ":８０",
    ),
  );
const STANDARD_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

const path = mostly(
  fc.constantFrom<Part>(
    ["", ""],
    ["/", ""],
    sound("/dockhost"),
    ["/dockhost/", "/dockhost"],
    ["//", ""],
    sound("/a/b"),
  ),
  wrong("?key=secret", "#secret", "/?", "/a b", "/a\nb", "/a#", "\\", "/a\\b", " ", "/\0"),
);

const webScheme = mostly(
  fc.constantFrom<Part>(
    ...[["", "http"] as const, ["http://", "http"] as const, ["ws://", "http"] as const, ["HTTP://", "http"] as const],
    ...[["https://", "https"] as const, ["wss://", "https"] as const, ["WsS://", "https"] as const],
  ),
  wrong(
    ...["ftp://", "file://", "javascript://", "http:/", "http:///", "https:\\\\", "://", "//", "/", "ht tp://"],
    ...["tcp://", "unix://", "http:// ", "http://http://", "blob:http://"],
  ),
);

/** Without a host in between, `http:/` and `/path` are the sound `http://path`. */
const isAnother = ([[scheme], [name], [at], [end]]: readonly [Part, Part, Part, Part]): boolean =>
  /^\w+:\/$/.test(scheme) && name + at === "" && end.startsWith("/");

test("the main server's address comes to scheme, host, port and path as they were written, or to nothing", () => {
  const address = webScheme.chain((scheme) => fc.tuple(fc.constant(scheme), host, port(scheme[1] ?? "http"), path));
  fc.assert(
    fc.property(address, (parts) => {
      fc.pre(!isAnother(parts));
      const [scheme, ...rest] = parts.map(([, meant]) => meant);
      const isSound = parts.every(([, meant]) => meant !== undefined);
      const url = readMainServerUrl(parts.map(([written]) => written).join(""));
      expect(url).toBe(isSound ? `${scheme}://${rest.join("")}` : undefined);
      if (url !== undefined) expect(readMainServerUrl(url)).toBe(url);
    }),
    CASES,
  );
});

const bareEnd = mostly(fc.constantFrom<Part>(["", ""], ["/", ""]), wrong("//", "/x", "?a", "#a", "\\", "/\n", " "));
const engineScheme = mostly(
  fc.constantFrom<Part>(["tcp://", "http"], ["http://", "http"], ["https://", "https"]),
  wrong("", "tcp:", "tcp:/", "tcp:///", "http:", "ssh://", "npipe://", "ws://", "fd://", "unix:", "tcp:\\\\", "//"),
);

test("the Engine's address has the host and port as they were written, or it is none", () => {
  const address = fc.tuple(engineScheme, host, port("none"), bareEnd);
  fc.assert(
    fc.property(address, (parts) => {
      fc.pre(!isAnother(parts));
      const [[, scheme], [, name], [, at]] = parts;
      const isSound = parts.every(([, meant]) => meant !== undefined);
      const tls = scheme === "https";
      const expected = {
        kind: "tcp",
        host: name?.replace(/[[\]]/g, ""),
        port: at === "" ? (tls ? 2376 : 2375) : Number(at?.slice(1)),
        tls,
      };
      const text = parts.map(([written]) => written).join("");
      expect(readEngineAddress(text)).toEqual(isSound ? expected : undefined);
    }),
    CASES,
  );
});

test("an address to bind is what four or eight numbers make, in a form that the Engine takes", () => {
  const number = fc.oneof(fc.integer({ min: 0, max: 255 }).map(String), fc.constantFrom("256", "-1", "", "a", "0x1"));
  const fourNumbers = fc.array(number, { minLength: 3, maxLength: 5 }).map((numbers) => numbers.join("."));
  const text = fc.oneof(
    fourNumbers,
    fc.ipV6(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.ipV6().map((address) => `${address}%eth0`),
    fc.tuple(fc.ipV4(), fc.constantFrom(":80", "/24", " ", "\n", "\0")).map((parts) => parts.join("")),
    fc.string({ unit: fc.constantFrom("0", "1", "f", ":", ".", "%", "[", "]") }),
  );
  fc.assert(
    fc.property(text, (address) => {
      // URL reads an IPv6 address in brackets by a parser of its own.
      const isV6 = /^[0-9a-f:.]+$/i.test(address) && address.includes(":") && URL.canParse(`http://[${address}]`);
      const numbers = address.split(".");
      const isV4 = numbers.length === 4 && numbers.every((n) => /^(0|[1-9]\d{0,2})$/.test(n) && Number(n) < 256);
      expect(isBindAddress(address)).toBe(isV4 || isV6);
    }),
    CASES,
  );
});
