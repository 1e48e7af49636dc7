import { mkdirSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startMainServer, temporaryDirectory } from "../testing/main-server.ts";

const AS_BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const SCRIPT = "console.log('page');";

async function servedPage(): Promise<string> {
  const { url } = await startMainServer({}, { pageDirectory: builtPage() });
  return url;
}

function builtPage(): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "index.html"), `<meta name="csp-nonce" content="__CSP_NONCE__"><div id="root"></div>`);
  writeFileSync(join(directory, "assets/main-B3x.js"), SCRIPT);
  for (const coding of ["br", "gz"]) writeFileSync(join(directory, `assets/main-B3x.js.${coding}`), `as ${coding}`);
  return directory;
}

/** `fetch` would ask for every coding, and undo it. */
async function get(url: string, headers: Record<string, string>): Promise<{ answer: IncomingMessage; body: string }> {
  const [answer] = (await once(request(url, { headers }).end(), "response")) as [IncomingMessage];
  let body = "";
  for await (const part of answer.setEncoding("utf8")) body += String(part);
  return { answer, body };
}

test("every address of the page leads to the page, which is asked for anew each time", async () => {
  const url = await servedPage();
  for (const path of ["/", "/instances/5f3a/terminal", "/sign-in?from=%2Fpeople", "/apiary"]) {
    const answer = await fetch(url + path, { headers: AS_BROWSER });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    expect(await answer.text()).toContain('<div id="root">');
  }
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
});

test("what is no page's address answers as ever, to a browser too", async () => {
  const url = await servedPage();
  for (const path of ["/api", "/api/nowhere", "/health/nowhere", "/streams/nowhere", "/assets/gone-C4y.js"]) {
    const { answer, body } = await get(url + path, AS_BROWSER);
    expect(answer.statusCode).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ error: { code: "NOT_FOUND" } });
  }
  expect((await fetch(`${url}/instances`, { headers: { accept: "application/json" } })).status).toBe(404);
  expect((await fetch(`${url}/instances`, { headers: AS_BROWSER, method: "POST" })).status).toBe(404);
});

test("the page runs nothing inline, and styles only with a nonce that is another in each response", async () => {
  const url = await servedPage();
  const seen = new Set<string>();
  for (let asked = 0; asked < 3; asked++) {
    const answer = await fetch(url, { headers: AS_BROWSER });
    const [, nonce = ""] = /content="([\w-]{22})"/.exec(await answer.text()) ?? [];
    seen.add(nonce);
    expect(answer.headers.get("content-security-policy")?.split("; ").sort()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "font-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "script-src 'self'",
      `style-src 'self' 'nonce-${nonce}'`,
    ]);
  }
  expect(seen.size).toBe(3);
});

test("every answer, a refusal too, leaves a browser no permission but to copy to the clipboard", async () => {
  const url = await servedPage();
  for (const path of ["/", "/api/nowhere", "/api/docs", "/assets/main-B3x.js"]) {
    const { headers } = await fetch(url + path, { headers: AS_BROWSER });
    const granted = headers
      .get("permissions-policy")
      ?.split(", ")
      .filter((one) => !one.endsWith("=()"));
    expect(granted).toEqual(["clipboard-write=(self)"]);
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toMatch(/default-src 'none'/);
    expect(headers.get("content-security-policy")).not.toContain("unsafe");
  }
});

test("assets are kept for a year, and sent as small as the browser can read them", async () => {
  const url = await servedPage();
  const asset = `${url}/assets/main-B3x.js`;
  for (const [accepted, coding, expected] of [
    ["gzip, deflate, br", "br", "as br"],
    ["gzip", "gzip", "as gz"],
    ["identity", undefined, SCRIPT],
  ] as const) {
    const { answer, body } = await get(asset, { "accept-encoding": accepted });
    expect(answer.headers).toMatchObject({
      "cache-control": "public, max-age=31536000, immutable",
      "content-type": expect.stringMatching(/^(text|application)\/javascript/) as string,
      vary: "accept-encoding",
    });
    expect({ coding: answer.headers["content-encoding"], body }).toEqual({ coding, body: expected });
  }
});

test("a page that is not built says so, and is there as soon as it is", async () => {
  const directory = join(temporaryDirectory(), "dist");
  const { url } = await startMainServer({}, { pageDirectory: directory });
  const before = await fetch(url, { headers: AS_BROWSER });
  expect(before.status).toBe(503);
  expect(await before.text()).toMatch(/^The page is not built: npm run build/);
  mkdirSync(directory);
  writeFileSync(join(directory, "index.html"), "built");
  expect(await (await fetch(url, { headers: AS_BROWSER })).text()).toBe("built");
});
