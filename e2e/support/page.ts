import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import axeCore from "axe-core";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type ConsoleMessage,
  type Locator,
  type Page,
  type Request,
} from "playwright-core";
import { chromiumPath } from "./chromium-path.ts";
import { PASSWORD } from "./rest-user.ts";

const SCREENSHOTS = fileURLToPath(new URL("../screenshots/", import.meta.url));
/** Several to a page take a slow machine a minute in all, so only who wants to look has them made. */
const LOOKED_AT = process.env.DOCKHOST_SCREENSHOTS !== undefined;
const SCREENS = { "": { width: 1280, height: 800 }, "-phone": { width: 390, height: 844 } };
const WCAG = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];

const TELL_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) =>
  tellViolation(event.effectiveDirective + " forbids " + event.blockedURI + " " + event.sample));`;

/** A real browser; each visit starts with an empty profile. */
export class Chromium implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<Chromium> {
    // Its sandbox does not start for root.
    return new Chromium(await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] }));
  }

  /** Opens `url` and waits until it has loaded. */
  async visit(url: string): Promise<Visit> {
    const context = await this.#browser.newContext({
      viewport: SCREENS[""],
      permissions: ["clipboard-write"],
      // What moves would be looked at half-way.
      reducedMotion: "reduce",
    });
    const visit = await Visit.begin(context, new URL(url).origin);
    await visit.page.goto(url);
    return visit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** One person's look at the page, and what the browser had to say about it meanwhile. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** Errors on the console, errors that nobody caught, and what the security policy has forbidden. */
  readonly complaints: string[] = [];
  readonly requests: Request[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context;
    this.page = page;
    page.on("request", (request) => this.requests.push(request));
    page.on("pageerror", ({ message }) => this.complaints.push(message));
    page.on("console", (message) => {
      if (message.type() === "error" && !isRefusal(message, origin)) this.complaints.push(message.text());
    });
  }

  static async begin(context: BrowserContext, origin: string): Promise<Visit> {
    const visit = new Visit(context, await context.newPage(), origin);
    await context.exposeFunction("tellViolation", (violation: string) => void visit.complaints.push(violation));
    await context.addInitScript({ content: TELL_VIOLATIONS });
    return visit;
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  link(name: string): Locator {
    return this.page.getByRole("link", { name, exact: true });
  }

  /** Does in the dialog what a button has asked about. */
  async confirm(name: string): Promise<void> {
    await this.page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
  }

  /** At a page that asks for it. */
  async signIn(username: string, password = PASSWORD): Promise<void> {
    await this.page.getByLabel("Username").fill(username);
    await this.page.getByLabel("Password").fill(password);
    await this.button("Sign in").click();
  }

  /** `screenshots` where `DOCKHOST_SCREENSHOTS` asks for them. */
  async look(name: string): Promise<void> {
    if (LOOKED_AT) await this.screenshots(name);
  }

  /** Stores how the page looks, in both themes, on a wide screen and on a phone. */
  async screenshots(name: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true });
    for (const [screen, size] of Object.entries(SCREENS)) {
      await this.page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"] as const) {
        await this.page.emulateMedia({ colorScheme });
        const path = `${SCREENSHOTS}${name}${screen}-${colorScheme}.png`;
        await this.page.screenshot({ path, fullPage: true, animations: "disabled" });
      }
    }
    await this.page.setViewportSize(SCREENS[""]);
    await this.page.emulateMedia({ colorScheme: null });
  }

  /** What keeps people out, by WCAG 2.2 at its level AA: one line for each element and rule. */
  async barriers(): Promise<string[]> {
    // As a script element the page's own policy would refuse it.
    await this.page.evaluate(axeCore.source);
    const run = `axe.run(document, { runOnly: { type: "tag", values: ${JSON.stringify(WCAG)} } })`;
    const { violations } = await this.page.evaluate<axeCore.AxeResults>(run);
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** The browser also tells the console of each refusal of the API, which is for the page to put into words. */
const isRefusal = (message: ConsoleMessage, origin: string): boolean =>
  message.text().startsWith("Failed to load resource") && message.location().url.startsWith(`${origin}/api/`);
