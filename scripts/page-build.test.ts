import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashOf } from "./page-build.mjs";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dockhost-page-"));
  mkdirSync(join(folder, "src/pages"), { recursive: true });
  write("index.html", "<!doctype html>");
  write("src/pages/account.tsx", "export {};");
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
const hash = () => hashOf(folder, ["index.html", "src"]);

test("the page is built anew when a source of it changes, comes or moves, however deep it lies", () => {
  const before = hash();
  write("src/pages/account.tsx", "export { };");
  const changed = hash();
  write("src/pages/people.tsx", "");
  const added = hash();
  renameSync(join(folder, "src/pages/people.tsx"), join(folder, "src/people.tsx"));
  const moved = hash();
  write("index.html", "<!doctype html><html>");
  expect(new Set([before, changed, added, moved, hash()]).size).toBe(5);
});

test("the page is not built anew for its tests, for what is none of it, or for being copied", () => {
  const before = hash();
  write("src/pages/account.test.ts", "test");
  write("README.md", "words");
  write("index.html", "<!doctype html>");
  expect(hash()).toBe(before);
});
