import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

const SHOWS_WITHIN_MS = 20_000;

/** The terminal of an instance, as the page shows it. */
export class PageTerminal {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get rows(): Locator {
    return this.#page.locator(".xterm-rows");
  }

  get input(): Locator {
    return this.#page.getByRole("textbox", { name: /terminal/i });
  }

  /** Waits until what stands there matches, as a person reads it. */
  async shows(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.rows.innerText(), { timeout: SHOWS_WITHIN_MS }).toMatch(pattern);
  }

  async type(line: string): Promise<void> {
    await this.input.focus();
    await this.#page.keyboard.type(`${line}\n`);
  }

  /** By a double click, as a person does; what is read aloud lies over what is seen. */
  async markWord(word: string): Promise<void> {
    const place = await this.rows.getByText(word, { exact: true }).first().boundingBox();
    if (!place) throw new Error(`${word} is not to be seen in the terminal`);
    await this.#page.mouse.dblclick(place.x + 10, place.y + place.height / 2);
  }
}
