import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { docker } from "./support/docker-cli.ts";
import { PageTerminal } from "./support/page-terminal.ts";
import { Chromium, type Visit } from "./support/page.ts";
import { newUser } from "./support/site.ts";
import { SshUser } from "./support/ssh.ts";
import { WholeHouse } from "./support/whole-house.ts";

const RESIZED_WITHIN_MS = 20_000;
const ada = newUser("ada");

let house: WholeHouse;
let chromium: Chromium;
let person: SshUser;
let visit: Visit;
let page: Page;
let terminal: PageTerminal;

beforeAll(async () => {
  [house, chromium, person] = await Promise.all([WholeHouse.open(ada), Chromium.launch(), SshUser.arrive()]);
  const { publicKey } = await person.newKey("ada");
  await house.createInstance(publicKey);
  visit = await chromium.visit(house.url);
  ({ page } = visit);
  terminal = new PageTerminal(page);
  await visit.signIn(ada);
  await visit.link("one").click();
  await visit.link("Terminal").click();
  await page.getByText("Connected.", { exact: true }).waitFor();
});
afterAll(async () => {
  await visit[Symbol.asyncDispose]();
  await chromium[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await visit.screenshots(`failed at ${task.name}`);
});

describe("a terminal in the page", () => {
  test("is as wide as there is room, and the shell knows it when that changes", async () => {
    await terminal.type("clear; stty size");
    await terminal.shows(/\d+ \d{2,}\n/);
    const columns = async () => Number(/\d+ (\d+)\n/.exec(await terminal.rows.innerText())?.[1]);
    const before = await columns();
    await page.setViewportSize({ width: 900, height: 800 });
    await expect
      .poll(
        async () => {
          await terminal.type("clear; stty size");
          return columns();
        },
        { timeout: RESIZED_WITHIN_MS, interval: 500 },
      )
      .toBeLessThan(before);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test("gives what is marked to the clipboard, and takes from there what is pasted", async () => {
    await terminal.type("clear; echo some-$((40+2))");
    await terminal.shows(/some-42/);
    await terminal.markWord("some-42");
    await page.keyboard.press("Control+Shift+C");
    await page.getByText("Copied").waitFor();
    await page.keyboard.type("echo once-more-");
    await page.keyboard.press("Control+Shift+V");
    await page.keyboard.press("Enter");
    await terminal.shows(/\nonce-more-some-42/);
  });

  test("stays usable while a shell floods it, and Ctrl+C is answered", async () => {
    await terminal.type("clear; yes");
    await terminal.shows(/y\ny\ny/);
    await page.keyboard.press("Control+C");
    await terminal.type("echo still-$((1+2))");
    await terminal.shows(/still-3/);
  });

  test("opens a new shell by itself when its backend is back, however long that was away", async () => {
    await terminal.type("clear; echo kept-$((50+1))");
    await terminal.shows(/kept-51/);
    await page.clock.install();
    await house.backend.end("SIGTERM");
    const givenUp = page.getByText("Press Enter or Reconnect");
    await expect
      .poll(async () => {
        // Over the waits between its tries.
        await page.clock.fastForward("00:30");
        return givenUp.isVisible();
      })
      .toBe(true);
    house.startBackend();
    await page.getByText("Connected.", { exact: true }).waitFor();
    await terminal.shows(/kept-51[^]*The shell has ended/);
    await terminal.type("echo back-$((60+1))");
    await terminal.shows(/back-61/);
  });

  test("is opened anew after its shell has ended", async () => {
    await terminal.type("exit");
    await page.getByText("The shell has ended. Press Enter").waitFor();
    await visit.button("Reconnect").click();
    await page.getByText("Connected.", { exact: true }).waitFor();
    await terminal.type("echo again-$((2+2))");
    await terminal.shows(/again-4/);
  });
});

describe("what an instance prints", () => {
  const HOSTILE = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;

  test("stays text in the terminal", async () => {
    await terminal.type(`clear; echo '${HOSTILE}' && printf '\\033]0;taken\\007'`);
    await terminal.shows(/<img src=x/);
    expect(await page.locator(".xterm img, .xterm script").count()).toBe(0);
    expect(await page.title()).not.toBe("taken");
  });

  test("stays text in the log", async () => {
    await docker("exec", `dockhost-${ada}`, "sh", "-c", `cat > /proc/1/fd/1 <<'END'\n${HOSTILE}\nEND\n`);
    await visit.link("Logs").click();
    const log = page.getByRole("log");
    await log.getByText("<img src=x").waitFor();
    expect(await log.locator("img, script").count()).toBe(0);
    expect(await page.title()).not.toBe("taken");
    expect(visit.complaints).toEqual([]);
  });
});
