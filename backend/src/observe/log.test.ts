import { describe, expect, it } from "vitest";
import { createLog, type LogOptions } from "./log.ts";

describe("a log line", () => {
  it("is one readable line on a terminal, with the fields behind the message", () => {
    const { log, lines } = recorded({ format: "pretty" });
    log.info({ username: "ada", ports: { ssh: 1024 } }, "Container created");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Container created \{"username":"ada","ports":\{"ssh":1024\}\}\n$/,
    );
  });

  it("is one JSON object with time, level and message otherwise", () => {
    const { log, lines } = recorded();
    log.warn({ username: "ada" }, "Port already in use");
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      username: "ada",
      msg: "Port already in use",
    });
  });

  it("stays one line without terminal escapes, whatever a container printed", () => {
    const { log, lines } = recorded({ format: "pretty" });
    log.error(
      { tail: "a\n\u001b[2Jb", error: new Error("x\ny") },
      "died:\n\u001b[31mlast words\u2028\r\n[00:00] INFO: forged",
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("died: [31mlast words [00:00] INFO: forged");
    expect(lines[0]).toMatch(/^[^\u0000-\u001f\u2028]*\n$/);
  });

  it("carries the fields of the log that it came from", () => {
    const { log, lines } = recorded();
    log.child({ operationId: "7" }).info({ username: "ada" }, "Started");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ operationId: "7", username: "ada" });
  });

  it("is not written below the level that was asked for", () => {
    const { log, lines } = recorded({ level: "warn" });
    log.info({}, "quiet");
    log.warn({}, "loud");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("loud");
  });
});

describe("an error in a log line", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:3001"), { code: "ECONNREFUSED", port: 3001 });

  it("is its message and its code, without a stack", () => {
    const { log, lines } = recorded();
    log.warn({ error: refused }, "No connection");
    expect(JSON.parse(lines[0] ?? "")).toHaveProperty("error", { message: refused.message, code: "ECONNREFUSED" });
  });

  it("shows its stack where the level is debug", () => {
    const { log, lines } = recorded({ level: "debug" });
    log.warn({ error: refused }, "No connection");
    expect(JSON.parse(lines[0] ?? "")).toHaveProperty("error.stack", refused.stack);
  });

  it("is never without words", () => {
    const { log, lines } = recorded();
    log.warn({ error: new AggregateError([refused]) }, "No connection");
    expect(JSON.parse(lines[0] ?? "")).toHaveProperty("error.message", "AggregateError");
  });
});

describe("no secret reaches the log", () => {
  const secret = "s3cr3t-value";
  const names = ["DOCKHOST_API_KEY", "apiKey", "token", "password", "authorization", "Authorization"];
  const more = ["cookie", "set-cookie", "sshPublicKey", "sshPublicKeys", "SSH_PUB_KEY"];

  it.each([...names, ...more])("in a field named %s, four levels deep, in lists and in bindings too", (name) => {
    const { log, lines } = recorded();
    const hidden = { [name]: secret };
    log.info(hidden, "0");
    log.info({ a: hidden, list: [hidden] }, "1");
    log.info({ a: { b: hidden, list: [hidden] } }, "2");
    log.info({ a: { b: { c: hidden } } }, "3");
    log.child(hidden).info({}, "4");
    log.child({ a: hidden }).info({ a: hidden }, "5");
    expect(lines).toHaveLength(6);
    expect(lines.join("")).not.toContain(secret);
  });

  it.each(["pretty", "json"] as const)("as an API key inside a message, a field or an error (%s)", (format) => {
    const { log, lines } = recorded({ format, level: "debug" });
    const key = "dkh_AbC-12_xyz";
    log.info({ url: `http://x/?k=${key}`, error: new Error(`bad ${key}!`) }, `refused "${key}" here`);
    log.child({ key }).info({}, key);
    expect(lines.join("")).not.toContain("AbC-12_xyz");
    expect(lines[0]).toContain("dkh_***");
    expect(lines[0]).toContain("here");
  });

  it("as the very key of this backend, whatever it looks like", () => {
    const { log, lines } = recorded({ secrets: ["plain-old-key"] });
    log.warn({ said: "no such key: plain-old-key" }, "plain-old-key refused");
    expect(lines.join("")).not.toContain("plain-old-key");
  });

  it("and what the caller handed over is left as it was", () => {
    const { log } = recorded();
    const fields = { auth: { DOCKHOST_API_KEY: secret } };
    log.info(fields, "Connecting");
    expect(fields.auth.DOCKHOST_API_KEY).toBe(secret);
  });
});

function recorded(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { log: createLog({ format: "json", level: "info", destination, ...options }), lines };
}
