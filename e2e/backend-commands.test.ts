import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND_NAMES, parseReply, type CommandName } from "@dockhost/protocol";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

let site: Site;
let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
  site = await Site.open();
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const create = (username: string) =>
  site.connection.succeed("create-container", { username, sshPublicKey: key.publicKey });

const list = async (username?: string) =>
  (await site.connection.succeed("list-containers", username === undefined ? {} : { username })).containers;

describe.concurrent("each command, with a callback", () => {
  test("create-container answers when the container runs and its owner can log in by ssh", async () => {
    const username = newUser("ada");
    const container = await create(username);
    expect(container).toMatchObject({ username, state: "running", ssh: { user: "root" } });
    const { ssh, http, https } = container.ports;
    expect([http, https]).toEqual([ssh + 1, ssh + 2]);
    expect(await person.login(container, key)).toMatchObject({ code: 0, stdout: "root\n" });
    expect(await list(username)).toEqual([container]);
  });

  test("stop-container keeps files and ports, and start-container brings both back", async () => {
    const username = newUser("bea");
    const created = await create(username);
    await person.login(created, key, "echo kept > /root/file");

    const stopped = await site.connection.succeed("stop-container", { username });
    expect(stopped).toMatchObject({ state: "stopped", ports: created.ports, containerId: created.containerId });
    expect(await list(username)).toEqual([stopped]);

    const started = await site.connection.succeed("start-container", { username });
    expect(started).toEqual(created);
    expect(await person.login(started, key, "cat /root/file")).toMatchObject({ stdout: "kept\n" });
  });

  test("stopping what is stopped, starting what runs and deleting what is gone are successes", async () => {
    const username = newUser("cid");
    const created = await create(username);
    expect(await site.connection.succeed("start-container", { username })).toEqual(created);
    const stopped = await site.connection.succeed("stop-container", { username });
    expect(await site.connection.succeed("stop-container", { username })).toEqual(stopped);
    const { containerId, ports } = created;
    expect(await site.connection.succeed("delete-container", { username })).toEqual({
      existed: true,
      containerId,
      ports,
    });
    expect(await site.connection.succeed("delete-container", { username })).toEqual({
      existed: false,
      containerId: null,
      ports: null,
    });
    expect(await list(username)).toEqual([]);
  });

  test("list-containers without a user tells all of this backend's, also where the payload is missing", async () => {
    const mine = await Promise.all([create(newUser("dan")), create(newUser("eli"))]);
    expect(await list()).toEqual(expect.arrayContaining(mine));
    const reply = parseReply("list-containers", await site.connection.raw("list-containers"));
    expect(reply).toMatchObject({ success: true, data: { containers: expect.arrayContaining(mine) as unknown } });
  });

  test("create-container takes several keys, and each of them logs in", async () => {
    const other = await person.newKey("fay-other");
    const input = { username: newUser("fay"), sshPublicKeys: [key.publicKey, `${other.publicKey}\n`] };
    const container = await site.connection.succeed("create-container", input);
    expect(await person.login(container, key)).toMatchObject({ code: 0 });
    expect(await person.login(container, other)).toMatchObject({ code: 0 });
  });

  test("each phase of a create is told under its operationId", async () => {
    const [username, operationId] = [newUser("gil"), randomUUID()];
    await site.connection.succeed("create-container", { username, sshPublicKey: key.publicKey, operationId });
    const told = site.connection.said.reports("operation-progress").filter((one) => one.username === username);
    expect(told).toEqual(
      ["allocating-ports", "creating", "starting", "waiting-for-ssh"].map((phase) => ({
        username,
        operationId,
        phase,
      })),
    );
  });
});

test("a command without a callback is answered by command-result, with its name and its operationId", async () => {
  const { connection } = site;
  const username = newUser("hal");
  const inputs: [CommandName, Record<string, unknown>][] = [
    ["create-container", { username, sshPublicKey: key.publicKey }],
    ["stop-container", { username }],
    ["start-container", { username }],
    ["list-containers", { username }],
    ["set-ssh-keys", { username, sshPublicKeys: [key.publicKey] }],
    ["delete-container", { username }],
    ["set-draining", { draining: false }],
  ];
  // A stream wants a main server that it can be dialled to.
  const others = COMMAND_NAMES.filter((command) => command !== "open-stream");
  expect(inputs.map(([command]) => command).sort()).toEqual(others.sort());
  for (const [command, input] of inputs) {
    const operationId = randomUUID();
    connection.socket.emit(command, { ...input, operationId });
    const result = await connection.said.first(
      "command-result",
      (payload) => (payload as { operationId?: string }).operationId === operationId,
    );
    expect(result.payload).toMatchObject({ command, operationId, success: true });
    expect(parseReply(command, result.payload).success).toBe(true);
  }
});

describe.concurrent("what is not a request", () => {
  const nonsense = [null, 0, "text", true, [], {}, { username: 7 }, { username: "../etc" }, { username: "" }];

  test.each(COMMAND_NAMES.filter((name) => name !== "list-containers"))(
    "%s answers INVALID_ARGUMENT to a payload that is missing or of any other shape",
    async (command) => {
      const missing = parseReply(command, await site.connection.raw(command));
      expect(missing).toMatchObject({ success: false, data: null, error: { code: "INVALID_ARGUMENT" } });
      for (const payload of nonsense) {
        const refused = await site.connection.refusal(command, "INVALID_ARGUMENT", payload);
        expect(refused).toMatchObject({ data: null, error: { retryable: false } });
        expect(refused.message).toMatch(/^[^\n]+\.$/);
      }
    },
  );

  test("list-containers answers INVALID_ARGUMENT to a payload of any other shape", async () => {
    for (const payload of [0, "text", true, { username: 7 }, { username: "a b" }]) {
      await site.connection.refusal("list-containers", "INVALID_ARGUMENT", payload);
    }
  });

  test("a command without payload and callback is answered too", async () => {
    const { connection } = site;
    connection.socket.emit("stop-container");
    const { payload } = await connection.said.first(
      "command-result",
      (said) => (said as { command: string; success: boolean }).command === "stop-container" && !isSuccess(said),
    );
    expect(payload).toMatchObject({ success: false, error: { code: "INVALID_ARGUMENT" } });
  });

  const sound = { username: "never-made", sshPublicKey: "" };
  test.each([
    ["no key", { sshPublicKey: undefined }],
    ["a number for a key", { sshPublicKey: 5 }],
    ["both one key and several", { sshPublicKeys: ["x"] }],
    ["no key among several", { sshPublicKey: undefined, sshPublicKeys: [] }],
    ["seventeen keys", { sshPublicKey: undefined, sshPublicKeys: Array.from({ length: 17 }, () => "x") }],
    ["an operationId that is no UUID", { operationId: "1" }],
    ["an image that is not on the list", { image: "alpine" }],
    ["an image reference in place of a name", { image: "docker.io/library/alpine:latest" }],
    ["more memory than the backend gives", { limits: { memoryMiB: 513 } }],
    ["a negative limit", { limits: { pids: -1 } }],
    ["a limit that nobody knows", { limits: { gpus: 1 } }],
  ])("create-container answers INVALID_ARGUMENT to %s", async (_, change) => {
    const payload = { ...sound, sshPublicKey: key.publicKey, ...change };
    await site.connection.refusal("create-container", "INVALID_ARGUMENT", payload);
  });

  test("a string that is not one OpenSSH public key is INVALID_KEY, and the reply never repeats it", async () => {
    const body = key.publicKey.split(" ")[1] ?? "";
    const bad = [
      "",
      "ssh-ed25519",
      `ssh-rsa ${body}`,
      `command="id" ${key.publicKey}`,
      `${key.publicKey}\n${key.publicKey}`,
      `${key.publicKey}\n\n`,
      `ssh-ed25519 ${body.slice(0, -4)}`,
    ];
    for (const sshPublicKey of bad) {
      const refused = await site.connection.refusal("create-container", "INVALID_KEY", { ...sound, sshPublicKey });
      expect(refused).toMatchObject({ data: null, error: { retryable: false } });
      expect(refused.message).not.toContain(body.slice(-20));
      const change = { username: "never-made", sshPublicKeys: [key.publicKey, sshPublicKey] };
      await site.connection.refusal("set-ssh-keys", "INVALID_KEY", change);
    }
  });
});

const isSuccess = (said: unknown): boolean => (said as { success: boolean }).success;

describe.concurrent("an operationId", () => {
  test("makes a repeat of a success execute nothing and answer the container as it now is", async () => {
    const { connection } = site;
    const [username, operationId] = [newUser("ida"), randomUUID()];
    const request = { username, sshPublicKey: key.publicKey, operationId };
    const created = await connection.succeed("create-container", request);
    expect(await connection.succeed("create-container", request)).toEqual(created);
    const stopped = await connection.succeed("stop-container", { username });
    expect(await connection.succeed("create-container", request)).toEqual(stopped);

    const removal = { username, operationId: randomUUID() };
    const deleted = await connection.succeed("delete-container", removal);
    expect(await connection.succeed("delete-container", removal)).toEqual(deleted);
    await connection.refusal("create-container", "NOT_FOUND", request);
    expect(await list(username)).toEqual([]);
  });

  test("sent twice at once makes one container, and both replies tell of it", async () => {
    const request = { username: newUser("joe"), sshPublicKey: key.publicKey, operationId: randomUUID() };
    const twice = [1, 2, 3].map(() => site.connection.succeed("create-container", request));
    const [first, ...others] = await Promise.all(twice);
    for (const other of others) expect(other).toEqual(first);
  });

  test("used with another body is CONFLICT, while the first runs as well as afterwards", async () => {
    const { connection } = site;
    const [username, operationId] = [newUser("kim"), randomUUID()];
    const request = { username, sshPublicKey: key.publicKey, operationId };
    const first = connection.succeed("create-container", request);
    const other = { ...request, username: newUser("kim-other") };
    await connection.refusal("create-container", "CONFLICT", other);
    await first;
    await connection.refusal("create-container", "CONFLICT", other);
    await connection.refusal("stop-container", "CONFLICT", { username, operationId });
    expect(await list(other.username)).toEqual([]);
  });

  test("of a failure runs again", async () => {
    const { connection } = site;
    const [username, operationId] = [newUser("lea"), randomUUID()];
    await connection.refusal("start-container", "NOT_FOUND", { username, operationId });
    const created = await create(username);
    expect(await connection.succeed("start-container", { username, operationId })).toEqual(created);
  });
});

describe.concurrent("a user", () => {
  test("has one container, and ALREADY_EXISTS carries it", async () => {
    const username = newUser("max");
    const container = await create(username);
    const again = { username, sshPublicKey: key.publicKey, operationId: randomUUID() };
    const refused = await site.connection.refusal("create-container", "ALREADY_EXISTS", again);
    expect(refused).toMatchObject({ data: container, error: { retryable: false } });
  });

  test("who asks for a container ten times at once gets one", async () => {
    const username = newUser("nan");
    const request = { username, sshPublicKey: key.publicKey };
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => site.connection.reply("create-container", request)),
    );
    const refused = replies.flatMap((reply) => (reply.success ? [] : [reply.error.code]));
    expect(refused).toEqual(Array.from({ length: 9 }, () => "ALREADY_EXISTS"));
    expect(await list(username)).toHaveLength(1);
  });

  test.each(["start-container", "stop-container"] as const)(
    "without a container meets NOT_FOUND at %s",
    async (command) => {
      await site.connection.refusal(command, "NOT_FOUND", { username: newUser("odo") });
    },
  );

  test("without a container meets NOT_FOUND at set-ssh-keys", async () => {
    const request = { username: newUser("pia"), sshPublicKeys: [key.publicKey] };
    await site.connection.refusal("set-ssh-keys", "NOT_FOUND", request);
  });
});
