import { afterAll, beforeAll, expect, test } from "vitest";
import { PageTerminal } from "./support/page-terminal.ts";
import { Chromium, type Visit } from "./support/page.ts";
import { PASSWORD } from "./support/rest-user.ts";
import { newUser } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { WholeHouse } from "./support/whole-house.ts";

/** No view has as many places to go to. */
const STOPS_MAX = 60;
const ada = newUser("ada");

let house: WholeHouse;
let chromium: Chromium;
let person: SshUser;
let key: KeyPair;
let visit: Visit;

beforeAll(async () => {
  [house, chromium, person] = await Promise.all([WholeHouse.open(ada), Chromium.launch(), SshUser.arrive()]);
  key = await person.newKey("ada");
  visit = await chromium.visit(house.url);
});
afterAll(async () => {
  await visit[Symbol.asyncDispose]();
  await chromium[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const BROWSER = "the browser's own places";

/** Where the keyboard is: its role and its name, as they are read out. */
async function here(): Promise<string> {
  const focused = visit.page.locator(":focus");
  return (await focused.count()) === 0 ? BROWSER : focused.ariaSnapshot();
}

/** Whether a person sees where the keyboard is, by an outline there or close around it. */
const isSeen = (): Promise<boolean> =>
  visit.page.evaluate<boolean>(`(() => {
    let place = document.activeElement;
    for (let step = 0; place && step < 6; step += 1, place = place.parentElement) {
      const { outlineStyle, outlineWidth } = getComputedStyle(place);
      if (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) return true;
    }
    return false;
  })()`);

/** Goes there step by step, and sees on every step where that is. */
async function goTo(place: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const passed: string[] = [];
  while (!passed.at(-1)?.startsWith(`- ${place}`)) {
    if (passed.length > STOPS_MAX)
      throw new Error(`The keyboard does not come to ${place}; it came to ${passed.join(", ")}.`);
    await visit.page.keyboard.press(key);
    passed.push(await here());
    if (passed.at(-1) !== BROWSER) expect({ place: passed.at(-1), seen: await isSeen() }).toMatchObject({ seen: true });
  }
}

async function press(place: string, by: "Enter" | "Space" = "Enter"): Promise<void> {
  await goTo(place);
  await visit.page.keyboard.press(by);
}

test("whoever has no mouse signs in, makes an instance and types into it", async () => {
  const { page } = visit;
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await goTo('textbox "Username"');
  await page.keyboard.type(ada);
  await goTo('textbox "Password"');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Instances" }).waitFor();
  await goTo('textbox "Public key"');
  await page.keyboard.insertText(key.publicKey);
  await press('button "Create instance"', "Space");
  await page.getByLabel("SSH command", { exact: true }).waitFor();
  await press('link "Terminal"');
  await page.getByText("Connected.", { exact: true }).waitFor();
  await page.keyboard.type("echo by-$((1+1))\n");
  await new PageTerminal(page).shows(/by-2/);
});

test("they come out of the terminal, which keeps Tab for its shell, by the keys that it names", async () => {
  const { page } = visit;
  await page.keyboard.press("Tab");
  expect(await here()).toMatch(/terminal/i);
  await page.getByText("Ctrl+Shift+X leaves the terminal").waitFor();
  await page.keyboard.press("Control+Shift+X");
  expect(await here()).toContain('button "Reconnect"');
});

test("a dialog takes them in, lets them go, and brings them back to where they were", async () => {
  const { page } = visit;
  await goTo('link "Settings"', "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete instance" }).waitFor();
  await press('button "Delete instance"');
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  const inside = await page.evaluate<boolean>("document.querySelector('dialog').contains(document.activeElement)");
  expect(inside).toBe(true);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  expect(await here()).toContain('button "Delete instance"');
});

test("they delete the instance by typing its name, and sign out", async () => {
  const { page } = visit;
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  if (!(await here()).startsWith("- textbox")) await goTo("textbox");
  await page.keyboard.type("one");
  await press('button "Delete instance"');
  await page.getByText("Welcome: your first Ubuntu").waitFor();
  await press('button "Sign out"');
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});
