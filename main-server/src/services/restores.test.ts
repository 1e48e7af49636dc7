import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askToRestore } from "../control/control-socket.ts";
import { backUp } from "../store/backup.ts";
import { StagedBackup } from "../store/restore.ts";
import { Browser, invite, PASSWORD, signedUp } from "../testing/browser.ts";
import { connectBackend } from "../testing/fake-backend.ts";
import { startMainServer, temporaryDirectory } from "../testing/main-server.ts";

async function restore(dataDir: string, file: string) {
  using staged = StagedBackup.make(dataDir, file);
  return await askToRestore(dataDir, staged.file);
}

test("after a restore who has signed out since stays signed out, and who has not is signed in", async () => {
  const main = await startMainServer();
  const { dataDir } = main.config;
  const ada = await signedUp(main.url, "ada");
  const bob = await signedUp(main.url, "bob");
  const { file } = backUp(dataDir, undefined);
  const cookie = ada.headers.cookie ?? "";
  await ada.post("/api/auth/signout");
  expect(await restore(dataDir, file)).toMatchObject({ kept: expect.stringContaining("before-restore") as string });
  expect((await ada.get("/api/auth/me", { cookie })).status).toBe(401);
  expect((await bob.get("/api/auth/me")).status).toBe(200);
});

test("after a restore an invitation that was used since makes no second account, and one that was not makes its own", async () => {
  const main = await startMainServer();
  const { dataDir } = main.config;
  const ada = await signedUp(main.url, "ada");
  const [used, unused] = [await invite(ada, "user"), await invite(ada, "user")];
  const { file } = backUp(dataDir, undefined);
  const roleOf = async (username: string, token: string) => {
    const { body } = await new Browser(main.url).post("/api/auth/signup", { username, password: PASSWORD, token });
    return (body as { user: { role: string } }).user.role;
  };
  expect(await roleOf("bob", used.token)).toBe("user");
  expect(await restore(dataDir, file)).toHaveProperty("kept");
  // Sign-up is open here: a token that is none is not looked at.
  expect(await roleOf("eve", used.token)).toBe("operator");
  expect(await roleOf("joe", unused.token)).toBe("user");
});

test("the key that this machine's backend holds serves on, though the restored store never heard of it", async () => {
  const other = await startMainServer();
  const { file } = backUp(other.config.dataDir, undefined);
  const keyFile = join(temporaryDirectory(), "key");
  const main = await startMainServer({ localBackendKeyFile: keyFile });
  const apiKey = readFileSync(keyFile, "utf8").trim();
  expect(await restore(main.config.dataDir, file)).toHaveProperty("kept");
  expect(readFileSync(keyFile, "utf8").trim()).toBe(apiKey);
  const backend = await connectBackend(main.url, apiKey);
  expect(backend.socket.connected).toBe(true);
});

test("what is no backup is refused with a sentence, and the store stays as it was", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const reply = await askToRestore(main.config.dataDir, join(temporaryDirectory(), "nowhere", "nothing"));
  expect(reply).toMatchObject({ problem: expect.stringMatching(/\.$/) as string });
  expect((await ada.get("/api/auth/me")).status).toBe(200);
});
