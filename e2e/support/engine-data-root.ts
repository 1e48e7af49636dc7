import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, outcome } from "./docker-cli.ts";
import { leftovers, nameOfOwn } from "./ownership.ts";

const IMAGE = "dockhost/instance:latest";
const FORM = "dockhost-engine-image";

/** An Engine that works on `dataRoot`: answers its address, and how to end it tidily. */
export type OpenOn = (dataRoot: string) => Promise<{ url: string; stop(): Promise<void> } & AsyncDisposable>;

/**
 * Makes `dataRoot` as of an Engine that has the instance image and nothing else. It is prepared once per image and kept,
 * as loading takes an Engine four seconds, and copying a third of one: the image's layers, which no Engine changes, are
 * linked and not copied.
 */
export async function copyDataRoot(dataRoot: string, openOn: OpenOn): Promise<void> {
  const prepared = await preparedDataRoot(openOn);
  await mkdir(dataRoot, { mode: 0o710 });
  for (const name of await readdir(prepared)) {
    const [from, to] = [join(prepared, name), join(dataRoot, name)];
    const linked = name === "overlay2" && (await outcome("cp", ["--archive", "--link", from, to])).code === 0;
    if (linked) continue;
    await rm(to, { recursive: true, force: true });
    const copied = await outcome("cp", ["--archive", from, to]);
    if (copied.code !== 0) throw new Error(`an Engine's ${name} cannot be copied: ${copied.stderr}`);
  }
}

async function preparedDataRoot(openOn: OpenOn): Promise<string> {
  const id = (await docker("image", "inspect", "--format", "{{.Id}}", IMAGE)).replace("sha256:", "").slice(0, 12);
  const prepared = join(tmpdir(), `${FORM}-${id}`);
  if (await exists(prepared)) return prepared;
  await removeOutdated();
  const folder = join(tmpdir(), nameOfOwn(FORM));
  {
    await using engine = await openOn(folder);
    await loadInstanceImage(engine.url);
    await engine.stop();
    // Two who prepare it at once both succeed.
    await rename(folder, prepared).catch(() => undefined);
  }
  return prepared;
}

/** Into an Engine of whichever storage driver, at that address. */
export async function loadInstanceImage(url: string): Promise<void> {
  const save = spawn("docker", ["save", IMAGE], { stdio: ["ignore", "pipe", "inherit"] });
  const load = spawn("docker", ["--host", url, "load", "--quiet"], { stdio: ["pipe", "ignore", "inherit"] });
  save.stdout.pipe(load.stdin);
  const [code] = (await once(load, "close")) as [number | null];
  if (code !== 0) throw new Error(`docker load of ${IMAGE} ended with ${String(code)}`);
}

async function removeOutdated(): Promise<void> {
  const names = await readdir(tmpdir());
  const kept = names.filter((name) => new RegExp(`^${FORM}-[0-9a-f]{12}$`).test(name));
  for (const name of [...kept, ...(await leftovers(FORM, names))]) {
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
