import { expect, test } from "vitest";
import { greeting } from "./greeting.mjs";

const facts = {
  ready: {
    ready: true as const,
    urls: ["http://127.0.0.1:3001", "http://127.0.0.1:3000"],
    signup: "open" as const,
  },
  mainServerPid: 11,
  backendPid: 12,
  engine: "20.10.24",
  image: "dockhost/instance:latest",
  dataDir: "/var/lib/dockhost",
  publicKey: "~/.ssh/id_ed25519.pub",
  hasCurl: true,
};

test("first of all stands the page's address, where an account is made or one signs in", () => {
  const opened = (ready: typeof facts.ready | { signup: "closed" | "token"; firstAccountToken?: string }) =>
    greeting({ ...facts, ready: { ...facts.ready, ...ready } })
      .split("\n")
      .slice(1, 4);
  expect(opened(facts.ready)).toEqual([
    "DockHost is running. Open its page and make an account:",
    "",
    "  http://127.0.0.1:3001",
  ]);
  expect(opened({ signup: "closed" })[0]).toContain("sign in");
  expect(opened({ signup: "token", firstAccountToken: "one-time" })).toEqual([
    "DockHost is running. Open its page and make the first account (this address works once):",
    "",
    "  http://127.0.0.1:3001/sign-up?token=one-time",
  ]);
});

test("a newcomer reads where the API is, what runs, and how to make a first instance", () => {
  const text = greeting(facts);
  expect(text).toContain("http://127.0.0.1:3001/api/docs");
  expect(text).toContain("http://127.0.0.1:3001 and http://127.0.0.1:3000");
  expect(text).toContain("main server (process 11), backend (process 12)");
  expect(text).toContain(
    `-d '{"username":"ada","password":"choose-a-password"}' http://127.0.0.1:3001/api/auth/signup`,
  );
  expect(text).toContain(`-d "{\\"sshPublicKey\\":\\"$(cat ~/.ssh/id_ed25519.pub)\\"}"`);
  expect(text).not.toContain("ssh-keygen");
  expect(text).not.toContain("apt-get");
});

test("a person without a key, or without curl, is shown how to come by one", () => {
  const text = greeting({ ...facts, publicKey: undefined, hasCurl: false });
  expect(text).toContain("apt-get install curl\n");
  expect(text).toContain("ssh-keygen -t ed25519 -N '' -f ~/.ssh/id_ed25519\n");
  expect(text).toContain("$(cat ~/.ssh/id_ed25519.pub)");
});

test("the first account's token stands in the line that needs it, and closed sign-up leads to sign-in", () => {
  const withToken = { ...facts.ready, signup: "token" as const, firstAccountToken: "one-time" };
  expect(greeting({ ...facts, ready: withToken })).toContain('"token":"one-time"}');
  expect(greeting({ ...facts, ready: { ...facts.ready, signup: "closed" as const } })).toContain("/api/auth/signin");
});
