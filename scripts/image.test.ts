import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sourceHash } from "./image.mjs";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "dockhost-image-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

test("the image is built anew when a file of it changes, comes or goes, and not for its README", () => {
  write("Dockerfile", "FROM ubuntu");
  const before = sourceHash(folder);
  write("README.md", "words");
  expect(sourceHash(folder)).toBe(before);
  write("Dockerfile", "FROM debian");
  const changed = sourceHash(folder);
  write("motd", "hello");
  const added = sourceHash(folder);
  expect(new Set([before, changed, added]).size).toBe(3);
});
