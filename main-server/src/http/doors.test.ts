import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startMainServer } from "../testing/main-server.ts";
import { Browser } from "../testing/browser.ts";

async function takenPort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  onTestFinished(() => void holder.close());
  return (holder.address() as AddressInfo).port;
}

test("an address that is not required is passed over with a warning where it is taken", async () => {
  const port = await takenPort();
  const free = { host: "127.0.0.1", port: 0, required: true };
  const main = await startMainServer({ listen: [free, { host: "127.0.0.1", port, required: false }] });
  expect(main.server.urls).toHaveLength(1);
  expect(main.log()).toContain(`Cannot listen on http://127.0.0.1:${port}`);
  expect((await new Browser(main.url).get("/health")).status).toBe(200);
});

test("a required address that is taken fails the start, and frees what was opened before", async () => {
  const port = await takenPort();
  const listen = [0, port].map((one) => ({ host: "127.0.0.1", port: one, required: true }));
  await expect(startMainServer({ listen })).rejects.toThrow(`Cannot listen on http://127.0.0.1:${port}`);
});

test("every address serves the same accounts", async () => {
  const free = { host: "127.0.0.1", port: 0, required: true };
  const main = await startMainServer({ listen: [free, { ...free, host: "::1" }] });
  const [one = "", other = ""] = main.server.urls;
  expect(other).toMatch(/^http:\/\/\[::1\]:\d+$/);
  const credentials = { username: "ada", password: "correct horse" };
  expect((await new Browser(one).post("/api/auth/signup", credentials)).status).toBe(201);
  expect((await new Browser(other).post("/api/auth/signin", credentials)).status).toBe(200);
});
