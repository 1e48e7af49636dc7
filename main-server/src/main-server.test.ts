import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { addBackend, Browser, PASSWORD, signedUp } from "./testing/browser.ts";
import { connectBackend } from "./testing/fake-backend.ts";
import { temporaryDirectory } from "./testing/main-server.ts";

const ENTRY = fileURLToPath(new URL("main-server.ts", import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const Ready = z.object({
  ready: z.literal(true),
  urls: z.array(z.url()),
  signup: z.enum(["open", "closed", "token"]),
  firstAccountToken: z.string().optional(),
});

/** Each starts the process, and some twice, from its sources. */
vi.setConfig({ testTimeout: 60_000 });

/** The process itself, as `npm start` runs it. */
function run(environment: Record<string, string>, args: string[] = []) {
  const directory = temporaryDirectory();
  const env = { PATH: process.env.PATH, DOCKHOST_DATA_DIR: directory, ...environment };
  const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
  const child = spawn(process.execPath, ["--import", TSX, ENTRY, ...args], {
    cwd: directory,
    env,
    stdio: [...stdio],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const exit = once(child, "close").then(([code]) => code as number | null);
  const ready = once(child, "message").then(([message]) => Ready.parse(message));
  return { child, exit, ready, output: () => output, errors: () => errors };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "on %s it closes within 5 s and ends with 0, a backend connected or not",
  async (signal) => {
    const main = run({ DOCKHOST_LISTEN: "127.0.0.1:0,127.0.0.1:0" });
    const { urls, signup } = await main.ready;
    const [one = "", other = ""] = urls;
    expect(signup).toBe("open");
    expect(one).not.toBe(other);
    const { apiKey } = await addBackend(await signedUp(one, "ada"));
    await connectBackend(other, apiKey);
    const begin = performance.now();
    main.child.kill(signal);
    main.child.kill(signal);
    expect(await main.exit).toBe(0);
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(main.errors()).toBe("");
  },
);

test("a wider address closes sign-up, and the first account's token is printed but not logged", async () => {
  const main = run({ DOCKHOST_LISTEN: "0.0.0.0:0" });
  const { urls, signup, firstAccountToken: token = "" } = await main.ready;
  expect(signup).toBe("token");
  const lines = main
    .output()
    .split("\n")
    .filter((line) => line.includes(token));
  expect(lines).toEqual([`The first account is made with this one-time token: ${token}`]);
  const url = (urls[0] ?? "").replace("0.0.0.0", "127.0.0.1");
  const account = { username: "ada", password: PASSWORD };
  expect((await new Browser(url).post("/api/auth/signup", account)).status).toBe(403);
  expect((await new Browser(url).post("/api/auth/signup", { ...account, token })).status).toBe(201);
});

test("an address that must be had and is taken ends the start with one sentence", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  onTestFinished(() => void holder.close());
  const taken = `127.0.0.1:${(holder.address() as AddressInfo).port}`;
  const main = run({ DOCKHOST_LISTEN: `127.0.0.1:0,${taken}` });
  expect(await main.exit).toBe(1);
  expect(main.errors()).toBe(`Cannot listen on http://${taken}: the address is in use by another program.\n`);
});

test("a data directory that cannot be used ends the start with one sentence", async () => {
  const main = run({ DOCKHOST_DATA_DIR: "/dev/null/here" });
  expect(await main.exit).toBe(1);
  expect(main.errors()).toMatch(/^The data directory \/dev\/null\/here cannot be used: .*\.\n$/);
});

test("a faulty configuration ends the start with a sentence for each fault, and no stack trace", async () => {
  const main = run({ DOCKHOST_LISTEN: "nowhere", LOG_LEVEL: "loud" });
  expect(await main.exit).toBe(1);
  expect(main.errors().trim().split("\n")).toEqual([
    expect.stringMatching(/^DOCKHOST_LISTEN must be .*\.$/) as string,
    expect.stringMatching(/^LOG_LEVEL must be .*\.$/) as string,
  ]);
});

test("--version and --help answer without starting anything", async () => {
  const version = run({}, ["--version"]);
  expect(await version.exit).toBe(0);
  expect(version.output()).toBe("3.0.0\n");
  const help = run({}, ["--help"]);
  expect(await help.exit).toBe(0);
  expect(help.output()).toContain("DOCKHOST_LISTEN");
});
