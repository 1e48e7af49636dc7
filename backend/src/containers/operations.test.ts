import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Gate } from "./gate.ts";
import { OperationLog } from "./operation-log.ts";
import { Operations } from "./operations.ts";
import { UserQueues } from "./user-queues.ts";

it("an operation whose deadline has passed while it waited for its turn is not begun any more", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dockhost-operations-"));
  {
    await using log = await OperationLog.open(folder);
    const gate = new Gate();
    gate.set("open");
    const operations = new Operations(gate, new UserQueues(), log);
    const begun: string[] = [];
    let finishFirst: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (finishFirst = resolve));
    const run = (name: string, isOver: boolean, work: Promise<void> = Promise.resolve()) => {
      const begin = async () => {
        begun.push(name);
        await work;
        return { containerId: null, ports: null };
      };
      return operations.run("delete-container", { username: "ada" }, { isOver }, begin, begin);
    };
    const running = run("first", false, first);
    const late = run("late", true);
    finishFirst();
    await running;
    await expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await run("last", false);
    expect(begun).toEqual(["first", "last"]);
  }
  await rm(folder, { recursive: true });
});
