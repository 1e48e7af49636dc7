import { afterEach, beforeEach, expect, test } from "vitest";
import { DockerEngine } from "../backend/src/engine/docker-engine.ts";
import { docker } from "./support/docker-cli.ts";
import { newUser } from "./support/site.ts";

let name: string;

beforeEach(() => {
  name = newUser("dockhost-e2e");
});
afterEach(async () => {
  await docker("rm", "--force", name).catch(() => undefined);
  for (const id of await networks()) await docker("network", "rm", id);
});

const local = () => new DockerEngine({ kind: "unix", socketPath: "/var/run/docker.sock" });

async function networks(): Promise<string[]> {
  const ids = await docker("network", "ls", "--quiet", "--filter", `name=^${name}$`);
  return ids.split("\n").filter((id) => id !== "");
}

const icc = async (id = "") =>
  docker("network", "inspect", id, "--format", '{{index .Options "com.docker.network.bridge.enable_icc"}}');

test("however many ask at once for a bridge that is missing, there is one afterwards, and it keeps containers apart", async () => {
  const [one, other] = [local(), local()];
  await Promise.all([one, one, one, other, other].map((engine) => engine.ensureIsolatedBridge(name)));
  // Whoever came last has seen all.
  await local().ensureIsolatedBridge(name);
  const [id, ...more] = await networks();
  expect(more).toEqual([]);
  expect(await icc(id)).toBe("false");
});

test("a bridge of that name that lets containers meet is refused, and left as it is", async () => {
  const id = await docker("network", "create", name);
  await expect(local().ensureIsolatedBridge(name)).rejects.toThrow(`docker network rm ${name}`);
  expect(await docker("network", "inspect", name, "--format", "{{.Id}}")).toBe(id);
});

test("a container that several remove at once is gone for each of them when it is told so", async () => {
  const id = await docker("run", "--detach", "--name", name, "dockhost/instance:latest");
  const engine = local();
  const removals = Array.from({ length: 4 }, async () => {
    await engine.remove(id);
    expect(await engine.inspect(id)).toBeUndefined();
  });
  await Promise.all(removals);
});

test("an image that was committed here is told also where it has no name, and one that a person committed is not", async () => {
  const label = `dockhost.e2e=${name}`;
  const id = await docker("create", "--name", name, "--label", label, "dockhost/instance:latest");
  const reference = `dockhost/moved:${name}`;
  await local().commit(id, reference);
  const comment = await docker("image", "inspect", "--format", "{{.Comment}}", reference);
  const nameless = await docker("commit", "--message", comment, id);
  const theirs = await docker("commit", "--message", "mine", id);
  try {
    expect((await local().imageNames(label)).sort()).toEqual([reference, nameless].sort());
    await local().removeImage(nameless);
    await local().removeImage(reference);
    expect(await local().imageNames(label)).toEqual([]);
    expect(await docker("images", "--quiet", "--no-trunc", "--filter", `label=${label}`)).toBe(theirs);
  } finally {
    const left = await docker("images", "--quiet", "--no-trunc", "--filter", `label=${label}`);
    for (const image of left.split("\n").filter((one) => one !== "")) await docker("rmi", image);
  }
});
