import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEngineAddress, readImage, readMainServerUrl, readPortRange, readSize } from "./config-values.ts";

const CASES = { numRuns: 10_000 };
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.webUrl({ withQueryParameters: true, withFragments: true }));
const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.constant("localhost"), fc.constant("[::1]"));

describe("a size", () => {
  it("is a number of bytes, in steps of 1024 for each unit, in small or capital letters", () => {
    const units = fc.constantFrom(["", 1], ["b", 1], ["k", 2 ** 10], ["m", 2 ** 20], ["g", 2 ** 30]);
    fc.assert(
      fc.property(fc.nat(2 ** 20), units, fc.boolean(), (count, [unit, factor], capital) => {
        const text = `${count}${unit}`;
        expect(readSize(capital ? text.toUpperCase() : text)).toBe(count * factor);
      }),
      CASES,
    );
  });

  it("is nothing but a whole number and a unit", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(readSize(text) !== undefined).toBe(/^\d{1,12}[bkmg]?$/i.test(text));
      }),
      CASES,
    );
  });
});

describe("a port range", () => {
  it("is two ports with room for a triple between them", () => {
    const port = fc.integer({ min: 0, max: 70_000 });
    fc.assert(
      fc.property(port, fc.oneof(port, fc.nat(4)), (first, other) => {
        const last = other < 5 ? first + other : other;
        const sound = first >= 1 && last <= 65_535 && last >= first + 2;
        expect(readPortRange(`${first}-${last}`)).toEqual(sound ? { first, last } : undefined);
      }),
      CASES,
    );
  });
});

describe("the main server's address", () => {
  it.each([
    ["localhost:3001", "http://localhost:3001"],
    ["main.example", "http://main.example"],
    ["10.0.0.7:80", "http://10.0.0.7"],
    ["[::1]:3001", "http://[::1]:3001"],
    ["http://main.example/", "http://main.example"],
    ["https://main.example:8443", "https://main.example:8443"],
    ["WS://main.example", "http://main.example"],
    ["wss://main.example/dockhost", "https://main.example/dockhost"],
  ])("may be %s", (text, url) => {
    expect(readMainServerUrl(text)).toBe(url);
  });

  it.each([
    "ftp://main.example",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://",
    "main.example:port",
    "main.example:65536",
    "http://user@main.example",
    "user:password@main.example",
    "https://main.example?key=dkh_x",
    "https://main.example#dkh_x",
    "main example",
    "3001",
    "127.1",
    "localhost:0",
    "localhost:",
    "https:/main.example",
    "http:///main.example",
  ])("may not be %s", (text) => {
    expect(readMainServerUrl(text)).toBeUndefined();
  });

  it("keeps host and port under each scheme and under none, and is a fixed point", () => {
    const schemes = fc.constantFrom(
      ["", "http"],
      ["http://", "http"],
      ["ws://", "http"],
      ["https://", "https"],
      ["wss://", "https"],
    );
    fc.assert(
      fc.property(schemes, hosts, fc.integer({ min: 1024, max: 65_535 }), ([written, dialled], host, port) => {
        const url = readMainServerUrl(`${written}${host}:${port}`);
        expect(url).toBe(`${dialled}://${host.toLowerCase()}:${port}`);
        expect(readMainServerUrl(url ?? "")).toBe(url);
      }),
      CASES,
    );
  });

  it("never carries a user, a password, a query or a fragment, whatever was written", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const url = readMainServerUrl(text);
        if (url !== undefined) expect(url).toMatch(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/);
      }),
      CASES,
    );
  });
});

describe("the Engine's address", () => {
  it.each([
    ["unix:///run/user/1000/docker.sock", { kind: "unix", socketPath: "/run/user/1000/docker.sock" }],
    ["tcp://engine.example", { kind: "tcp", host: "engine.example", port: 2375, tls: false }],
    ["tcp://engine.example:80/", { kind: "tcp", host: "engine.example", port: 80, tls: false }],
    ["http://[::1]:2375", { kind: "tcp", host: "::1", port: 2375, tls: false }],
    ["https://engine.example", { kind: "tcp", host: "engine.example", port: 2376, tls: true }],
    ["https://engine.example:443", { kind: "tcp", host: "engine.example", port: 443, tls: true }],
  ])("may be %s", (text, address) => {
    expect(readEngineAddress(text)).toEqual(address);
  });

  it("keeps host and port", () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        const address = { kind: "tcp", host: host.toLowerCase(), port, tls: false };
        expect(readEngineAddress(`tcp://${host}:${port}`)).toEqual(address);
      }),
      CASES,
    );
  });
});

describe("an image reference", () => {
  const digest = `@sha256:${"0a".repeat(32)}`;

  it.each([
    "ubuntu",
    "sohampirale/instance",
    "localhost/x",
    "localhost:5000/a/b__c-d.e",
    "ghcr.io/a/b",
    "a.b-c/d",
    "x--y",
  ])("without a tag means :latest, and nothing more: %s", (name) => {
    expect(readImage(name)).toBe(`${name}:latest`);
    expect(readImage(`${name}:24.04`)).toBe(`${name}:24.04`);
    expect(readImage(name + digest)).toBe(name + digest);
    expect(readImage(`${name}:24.04${digest}`)).toBe(`${name}:24.04${digest}`);
  });

  it.each([
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "a..b",
    "a___b",
    "-a",
    "a-",
    "A/b",
    "a:b:c",
    "a@sha256:00",
    "a:.b",
    "a b",
    "a\n",
    "host:x/a",
  ])("is not %j", (text) => {
    expect(readImage(text)).toBeUndefined();
  });

  it("is read in no time, however it was made to be slow", () => {
    for (const text of ["a-".repeat(256), "a".repeat(511) + "!", "a.".repeat(255) + "A", "-".repeat(512)]) {
      const begin = performance.now();
      readImage(text);
      expect(performance.now() - begin).toBeLessThan(50);
    }
  });
});
