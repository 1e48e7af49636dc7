import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BackendProcess, type Environment } from "./support/backend-process.ts";
import { removeBackend } from "./support/cleanup.ts";
import { docker } from "./support/docker-cli.ts";
import { MainServerProcess } from "./support/main-server-process.ts";
import { PageTerminal } from "./support/page-terminal.ts";
import { Chromium, type Visit } from "./support/page.ts";
import { freePort, freePortRange } from "./support/ports.ts";
import { PASSWORD } from "./support/rest-user.ts";
import { newUser } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

const BACKEND = "lab-1";
const run = promisify(execFile);

let folder: string;
let port: number;
let url: string;
let server: MainServerProcess;
let backend: BackendProcess | undefined;
let backendEnvironment: Environment;
let chromium: Chromium;
let person: SshUser;
let key: KeyPair;
let visit: Visit;
let page: Page;
let terminal: PageTerminal;
const ada = newUser("ada");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-page-"));
  port = await freePort();
  server = new MainServerProcess(join(folder, "main-server"), port);
  [url, chromium, person] = await Promise.all([server.ready(), Chromium.launch(), SshUser.arrive()]);
  key = await person.newKey("ada");
  visit = await chromium.visit(url);
  ({ page } = visit);
  terminal = new PageTerminal(page);
});
afterAll(async () => {
  await visit[Symbol.asyncDispose]();
  await chromium[Symbol.asyncDispose]();
  await backend?.leave();
  await server[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
  await removeBackend(join(folder, "backend"));
  await rm(folder, { recursive: true, force: true });
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await visit.screenshots(`failed at ${task.name}`);
});

const lines = (label: string) => page.getByLabel(label, { exact: true });
const text = async (label: string): Promise<string> => (await lines(label).textContent()) ?? "";

/** How the page looks is for people to judge; that it keeps nobody out is checked, in both themes. */
async function judged(name: string): Promise<void> {
  await visit.look(name);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect({ name, colorScheme, barriers: await visit.barriers() }).toEqual({ name, colorScheme, barriers: [] });
  }
  await page.emulateMedia({ colorScheme: null });
}

/** What is being dragged, where it is a file with this text in it. */
const fileOf = (content: string) =>
  page.evaluateHandle<object>(`(() => {
    const dragged = new DataTransfer();
    dragged.items.add(new File([${JSON.stringify(content)}], "id_ed25519.pub"));
    return dragged;
  })()`);

/** What a person has pasted into a shell, and what came of it. The key, the known hosts and the configuration are theirs. */
async function pasted(
  command: string,
  knownHosts: string,
  { file: identity }: KeyPair,
  configuration = "none",
): Promise<string> {
  const file = join(folder, "known_hosts");
  await writeFile(file, `${knownHosts}\n`);
  const options = ["BatchMode=yes", "StrictHostKeyChecking=yes", `UserKnownHostsFile=${file}`, "IdentitiesOnly=yes"];
  const own = ["-F", configuration, "-i", identity, ...options.flatMap((option) => ["-o", option])];
  const [program = "", ...args] = command.split(" ");
  return (await run(program, [...own, ...args, "whoami"])).stdout;
}

describe("from nothing to a login", () => {
  test("somebody makes the first account", async () => {
    await visit.link("Make one").click();
    await page.getByLabel("Username").fill(ada);
    await page.getByLabel("Password").fill(PASSWORD);
    await judged("sign-up");
    await visit.button("Make the account").click();
    await page.getByText("No machine is lent to you yet.").waitFor();
    await judged("instances-no-backend");
  });

  test("registers a backend, runs it with the key that is shown, and sees it come online without a reload", async () => {
    await visit.link("Backends").click();
    await page.getByText("No machine is lent here yet.").waitFor();
    await judged("backends-empty");
    await visit.link("Register a backend").click();
    await page.getByLabel("Name").fill(BACKEND);
    await visit.button("Register").click();
    await page.getByText("Waiting for it to connect").waitFor();
    await judged("backend-registered");
    backendEnvironment = {
      DOCKHOST_API_KEY: await text("API key"),
      MAIN_SERVER_BACKEND_URL: url,
      DOCKHOST_DATA_DIR: join(folder, "backend"),
      DOCKHOST_PORT_RANGE: await freePortRange(30),
    };
    expect(await text("Commands")).toContain(backendEnvironment.DOCKHOST_API_KEY);
    expect(await text("Commands")).toContain(url);
    backend = new BackendProcess(backendEnvironment);
    await page.getByText("It has connected.").waitFor();
  });

  test("is told while typing what is wrong with a key, and logs in by the line that is shown", async () => {
    await visit.link("Instances").click();
    await page.getByLabel("Public key").fill(key.publicKey.slice(0, -30));
    await page.getByText("copy the whole line of the .pub file again").waitFor();
    expect(await visit.button("Create instance").isDisabled()).toBe(true);
    await page.getByLabel("Public key").fill(key.publicKey);
    await judged("instances-welcome");
    await visit.button("Create instance").click();
    await lines("SSH command").waitFor();
    expect(await pasted(await text("SSH command"), await text("Known hosts line"), key)).toBe("root\n");
    await judged("instance-connect");
  });

  test("and by the name alone that the shown lines give it in the configuration of ssh", async () => {
    const configuration = join(folder, "config");
    await writeFile(configuration, await text("SSH configuration"));
    expect(await pasted(`ssh ${BACKEND}`, await text("Known hosts line"), key, configuration)).toBe("root\n");
  });
});

describe("an instance", () => {
  test("has a terminal that is typed into", async () => {
    await visit.link("Terminal").click();
    await terminal.input.waitFor();
    await terminal.shows(/[#$]/);
    await terminal.type("echo forty-$((6*7)); echo written by hand > /proc/1/fd/1");
    await terminal.shows(/forty-42/);
    await judged("instance-terminal");
  });

  test("keeps its terminal, with what is on it, through a backend that is killed and comes back", async () => {
    await backend?.end("SIGKILL");
    await page.getByText("unreachable", { exact: true }).waitFor();
    await page
      .getByText(/lost|reconnect/i)
      .first()
      .waitFor();
    backend = new BackendProcess(backendEnvironment);
    await page.getByText("Connected.", { exact: true }).waitFor({ timeout: 60_000 });
    await terminal.type("echo fifty-$((5+2))");
    await terminal.shows(/forty-42[^]*fifty-7/);
  });

  test("has a log that is followed and searched", async () => {
    await visit.link("Logs").click();
    const log = page.getByRole("log");
    await log.getByText("written by hand").waitFor();
    await docker("exec", `dockhost-${ada}`, "sh", "-c", "echo written meanwhile > /proc/1/fd/1");
    await log.getByText("written meanwhile").waitFor();
    await judged("instance-logs");
    await page.getByRole("searchbox").fill("mean");
    await log.getByText("written by hand").waitFor({ state: "hidden" });
    expect(await log.innerText()).toContain("written meanwhile");
  });

  test("has its activity drawn", async () => {
    await visit.link("Activity").click();
    await page.getByRole("img", { name: /^Memory.*now [1-9]/ }).waitFor();
    await judged("instance-activity");
  });

  test("is seen by whoever lends the machine, with what it uses at this moment", async () => {
    await visit.link("Backends").click();
    await visit.link(BACKEND).click();
    await visit.link("Containers").click();
    await visit.button(`Show what ${ada} uses`).click();
    await page.getByRole("img", { name: /^Memory.*now [1-9]/ }).waitFor();
    await judged("backend-containers");
    await visit.button(`Hide what ${ada} uses`).click();
    await page.getByRole("img", { name: /^Memory/ }).waitFor({ state: "detached" });
    await visit.link("Instances").click();
    await visit.link(BACKEND).click();
  });

  test("takes another key, dropped as a file, in the place of the first", async () => {
    const other = await person.newKey("other");
    await visit.link("Settings").click();
    await page.getByText("Another key").click();
    await page.getByLabel("Public key").dispatchEvent("drop", { dataTransfer: await fileOf(other.publicKey) });
    await visit.button("Replace key").click();
    await page.getByText("The key is replaced.").waitFor();
    await visit.link("Connect").click();
    const [command, knownHosts] = [await text("SSH command"), await text("Known hosts line")];
    expect(await pasted(command, knownHosts, other)).toBe("root\n");
    await expect(pasted(command, knownHosts, key)).rejects.toThrow("Permission denied");
  });

  test("is stopped and started, and says why it does not run meanwhile", async () => {
    await visit.button("Stop").click();
    await visit.button("Start").waitFor();
    await visit.link("Connect").click();
    await page.getByText("Its owner stopped it").first().waitFor();
    await judged("instance-stopped");
    await visit.button("Start").click();
    await visit.button("Stop").waitFor();
  });

  test("is still there, and the page up to date, after the main server was started anew beneath it", async () => {
    await visit.link("Instances").click();
    await lines("SSH command").waitFor();
    await server.end("SIGKILL");
    await page.getByText("The main server is out of reach").waitFor();
    await judged("offline");
    server = new MainServerProcess(join(folder, "main-server"), port);
    await server.ready();
    await page.getByText("The main server is out of reach").waitFor({ state: "hidden" });
    await page.getByText("running", { exact: true }).waitFor({ timeout: 45_000 });
    await judged("instances");
    await visit.link("New instance").click();
    await page.getByText("An Ubuntu of your own").waitFor();
    await judged("instance-new");
    await visit.link("← Instances").click();
  });

  test("is deleted by who types its name, and by nobody else", async () => {
    await visit.link(BACKEND).click();
    await visit.link("Settings").click();
    await judged("instance-settings");
    await visit.button("Delete instance").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(`Type “${BACKEND}” to go on`).fill("lab-2");
    expect(await dialog.getByRole("button", { name: "Delete instance" }).isDisabled()).toBe(true);
    await judged("instance-delete");
    await dialog.getByLabel(`Type “${BACKEND}” to go on`).fill(BACKEND);
    await dialog.getByRole("button", { name: "Delete instance" }).click();
    await page.getByText("Welcome: your first Ubuntu").waitFor();
  });
});

describe("the rest of the page", () => {
  test("shows a backend from all sides, and drains it", async () => {
    await visit.link("Backends").click();
    await page.getByText("available", { exact: true }).waitFor();
    await judged("backends");
    await visit.link(BACKEND).click();
    await page.locator("canvas").first().waitFor();
    await judged("backend-overview");
    await visit.link("Containers").click();
    await page.getByText("It runs nothing for anybody.").waitFor();
    await judged("backend-containers-empty");
    await visit.link("Log").click();
    await page
      .getByRole("log")
      .getByText(/connected/i)
      .first()
      .waitFor();
    await judged("backend-log");
    await visit.link("API keys").click();
    await visit.button("New key").click();
    await page.getByText("The new key").waitFor();
    await judged("backend-keys");
    await visit.link("Settings").click();
    await visit.button("Drain").click();
    await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
    await page.getByText("draining", { exact: true }).waitFor();
    await judged("backend-settings");
  });

  test("invites somebody, who comes by the link", async () => {
    await visit.link("People").click();
    await visit.button("Make an invitation").click();
    await lines("Invitation link").waitFor();
    await judged("people");
    await using guest = await chromium.visit(await text("Invitation link"));
    await guest.page.getByLabel("Username").fill(newUser("grace"));
    await guest.page.getByLabel("Password").fill(PASSWORD);
    await guest.page.getByRole("button", { name: "Make the account" }).click();
    await guest.page.getByRole("heading", { name: "Instances" }).waitFor();
    expect(await guest.page.getByRole("link", { name: "People" }).count()).toBe(0);
    await guest.page.getByRole("link", { name: "Backends" }).click();
    await guest.page.getByText("No machine is lent here yet.").waitFor();
    expect(await guest.page.getByRole("link", { name: "Register a backend" }).count()).toBe(0);
  });

  test("tells what was done, and lets go who wants to go", async () => {
    await visit.link("History").click();
    await page.getByText("instance deleted").first().waitFor();
    await page.getByLabel("Action").selectOption("invitation.created");
    await page.getByText("instance deleted").first().waitFor({ state: "hidden" });
    await judged("history");
    await visit.link("Account").click();
    await page.getByText("(this one)").waitFor();
    await judged("account");
    await visit.button("Sign out").first().click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  test("has done all that within its policy, and without an error", () => {
    expect(visit.complaints.filter((complaint) => !complaint.includes("ERR_CONNECTION_REFUSED"))).toEqual([]);
  });
});
