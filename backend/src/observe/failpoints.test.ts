import { readdirSync, readFileSync } from "node:fs";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failpoint, FAILPOINT_CHANNEL, FAILPOINTS } from "./failpoints.ts";

const SOURCE = join(import.meta.dirname, "..");

/** The product's own files: no test, and not the list of the names itself. */
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith("failpoints.ts"),
);
const code = files.map((name) => readFileSync(join(SOURCE, name), "utf8")).join("\n");

describe("a failpoint", () => {
  it("tells whoever listens its name, and otherwise does nothing", () => {
    const heard: unknown[] = [];
    const listen = (name: unknown) => heard.push(name);
    failpoint("create:named");
    subscribe(FAILPOINT_CHANNEL, listen);
    failpoint("create:claimed");
    unsubscribe(FAILPOINT_CHANNEL, listen);
    failpoint("create:named");
    expect(heard).toEqual(["create:claimed"]);
  });

  it.each(FAILPOINTS)("%s stands in the code at one place", (name) => {
    expect(code.split(`failpoint("${name}")`)).toHaveLength(2);
  });

  it("has no listener anywhere in the product", () => {
    expect(code).not.toMatch(/diagnostics_channel|FAILPOINT_CHANNEL/);
  });
});
