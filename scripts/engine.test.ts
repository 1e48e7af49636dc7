import { expect, test } from "vitest";
import { decide, type Machine } from "./engine.mjs";

const freshDebian: Machine = {
  answer: "absent",
  platform: "linux",
  user: "ada",
  root: true,
  apt: true,
  installed: false,
  dockerHost: undefined,
};

test("an Engine that answers is used, wherever it is", () => {
  expect(decide({ ...freshDebian, answer: "ok" })).toEqual({ action: "use" });
  expect(decide({ ...freshDebian, answer: "ok", platform: "darwin", root: false })).toEqual({ action: "use" });
  expect(decide({ ...freshDebian, answer: "ok", dockerHost: "tcp://farm:2375" })).toEqual({ action: "use" });
});

test("root gets Debian's Engine installed, or the installed one started", () => {
  expect(decide(freshDebian)).toEqual({ action: "install" });
  expect(decide({ ...freshDebian, installed: true })).toEqual({ action: "start" });
  expect(decide({ ...freshDebian, installed: true, answer: "refused" })).toEqual({ action: "start" });
});

test.each<[string, Partial<Machine>, RegExp]>([
  ["a user without rights to the socket", { root: false, installed: true, answer: "denied" }, /usermod -aG docker ada/],
  ["a user whose Engine does not run", { root: false, installed: true }, /sudo systemctl start docker/],
  ["a user without Docker", { root: false }, /sudo apt-get install docker\.io && sudo usermod -aG docker ada/],
  ["another Linux", { apt: false }, /https:\/\/docs\.docker\.com\/engine\/install\//],
  ["a Mac", { platform: "darwin", apt: false, root: false }, /start Docker Desktop/],
  ["Windows", { platform: "win32", apt: false, root: false }, /WSL 2/],
  [
    "a DOCKER_HOST where nobody answers",
    { dockerHost: "unix:///nowhere.sock" },
    /DOCKER_HOST=unix:\/\/\/nowhere\.sock \(absent\)/,
  ],
])("%s is told in one sentence what to do", (_, machine, sentence) => {
  const plan = decide({ ...freshDebian, ...machine });
  expect(plan).toEqual({ action: "tell", sentence: expect.stringMatching(sentence) as string });
  expect(plan.action === "tell" && plan.sentence).toMatch(/^[A-Z][^\n]*[^.]\.$/);
});
