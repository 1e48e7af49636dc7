import { createServer, type Server } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { canBind, PortTriples } from "./port-triples.ts";

const RANGE = { first: 1024, last: 1053 };
const BASES = [1024, 1027, 1030, 1033, 1036, 1039, 1042, 1045, 1048, 1051];
const allFree = () => Promise.resolve(true);

describe("a port triple", () => {
  it("is the lowest whose three ports are all free, whatever else is in use", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1024, max: 1053 })), async (inUse) => {
        const busy = new Set(inUse);
        const triples = new PortTriples(RANGE, (port) => Promise.resolve(!busy.has(port)));
        const expected = BASES.find((base) => [base, base + 1, base + 2].every((port) => !busy.has(port)));
        if (expected === undefined) await expect(triples.lease("a")).rejects.toMatchObject({ code: "NO_FREE_PORTS" });
        else expect(await triples.lease("a")).toEqual({ base: expected });
      }),
      { numRuns: 2_000 },
    );
  });

  it("is never shared, in whatever order holders come and go at once", async () => {
    const step = fc.record({ holder: fc.constantFrom("a", "b", "c", "d", "e"), leases: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const triples = new PortTriples(RANGE, allFree);
        const held = new Map<string, number>();
        const running = steps.map(async ({ holder, leases }) => {
          if (leases) held.set(holder, (await triples.lease(holder)).base);
          else {
            triples.release(holder);
            held.delete(holder);
          }
        });
        await Promise.all(running);
        const last = new Map<string, boolean>(steps.map(({ holder, leases }) => [holder, leases]));
        const bases = [...held].filter(([holder]) => last.get(holder)).map(([, base]) => base);
        expect(new Set(bases).size).toBe(bases.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it("that a stopped container holds is passed over, also where it stands across two of ours", async () => {
    const triples = new PortTriples(RANGE, allFree);
    triples.hold("stopped", 1025);
    expect(await triples.lease("a")).toEqual({ base: 1030 });
  });

  it("is looked for from where the request says, and past the end of the range anew", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 65_535 }), async (searchFrom) => {
        const triples = new PortTriples(RANGE, allFree);
        const above = BASES.filter((base) => base >= searchFrom);
        const expected = [...above, ...BASES.filter((base) => base < searchFrom)];
        for (const [index, base] of expected.entries())
          expect(await triples.lease(`${index}`, searchFrom)).toEqual({ base: base });
        await expect(triples.lease("one more", searchFrom)).rejects.toMatchObject({ code: "NO_FREE_PORTS" });
      }),
      { numRuns: 500 },
    );
  });

  it("that two hold, as a container and its copy by hand do, is free only after both", async () => {
    const triples = new PortTriples(RANGE, allFree);
    triples.hold("container", 1024);
    triples.hold("copy", 1024);
    triples.release("copy");
    expect(await triples.lease("a")).toEqual({ base: 1027 });
  });

  it("of a spare holder counts as free, and goes to one lease alone, however many come at once", async () => {
    const kind = fc.constantFrom("free", "held", "spare");
    await fc.assert(
      fc.asyncProperty(fc.array(kind, { minLength: BASES.length, maxLength: BASES.length }), async (kinds) => {
        const triples = new PortTriples(RANGE, allFree);
        for (const [index, base] of BASES.entries()) {
          if (kinds[index] !== "free") triples.hold(`${kinds[index]} ${base}`, base);
          if (kinds[index] === "spare") triples.offer(`spare ${base}`);
        }
        const expected = BASES.flatMap((base, index) => {
          if (kinds[index] === "held") return [];
          return [kinds[index] === "spare" ? { base, spare: `spare ${base}` } : { base }];
        });
        expect(await triples.leaseBelow("spare too")).toBe(BASES.find((_, index) => kinds[index] === "free"));
        triples.release("spare too");
        expect(await Promise.all(expected.map((_, index) => triples.lease(`${index}`)))).toEqual(expected);
        await expect(triples.lease("one more")).rejects.toMatchObject({ code: "NO_FREE_PORTS" });
      }),
      { numRuns: 500 },
    );
  });

  it("of a spare holder that was kept is nobody else's", async () => {
    const triples = new PortTriples(RANGE, allFree);
    triples.hold("spare", 1024);
    triples.offer("spare");
    triples.keep("spare");
    expect(await triples.lease("a")).toEqual({ base: 1027 });
  });

  it("is looked for below another one only where that is asked for", async () => {
    const triples = new PortTriples(RANGE, allFree);
    triples.hold("a", 1024);
    expect(await triples.leaseBelow("b", 1027)).toBeUndefined();
    expect(await triples.leaseBelow("b", 1028)).toBe(1027);
  });

  it("is free again once released", async () => {
    const triples = new PortTriples(RANGE, allFree);
    expect(await triples.lease("a")).toEqual({ base: 1024 });
    expect(await triples.lease("b")).toEqual({ base: 1027 });
    triples.release("a");
    expect(await triples.lease("c")).toEqual({ base: 1024 });
  });

  it("that the Engine refused is passed over for a while", async () => {
    const triples = new PortTriples(RANGE, allFree);
    triples.refuse(1024);
    expect(await triples.lease("a")).toEqual({ base: 1027 });
  });

  it("ends within the range", async () => {
    const triples = new PortTriples({ first: 1024, last: 1028 }, allFree);
    await triples.lease("a");
    await expect(triples.lease("b")).rejects.toMatchObject({
      code: "NO_FREE_PORTS",
      message: expect.stringContaining("between 1024 and 1028") as string,
    });
  });
});

describe("a port of this machine", () => {
  const servers: Server[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve)))));

  it.each(["127.0.0.1", "0.0.0.0", "::1", "::"])("is not free while somebody listens at %s", async (host) => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as { port: number };
    expect(await canBind(port)).toBe(false);
  });

  it("is free once nobody does", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    expect(await canBind(port)).toBe(true);
  });
});
