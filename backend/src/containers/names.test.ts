import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownership } from "./names.ts";

const LABELS = {
  "dockhost.managed": "true",
  "dockhost.backend": "b-1",
  "dockhost.slot": "s1",
  "dockhost.ports": "1024",
};

describe("a container is this backend's", () => {
  it("where it bears its id and a user's name", () => {
    expect(ownership({ name: "dockhost-ada", labels: LABELS }, "b-1")).toEqual({
      kind: "claimed",
      username: "ada",
      slot: "s1",
      base: 1024,
    });
  });

  it("where it bears its id and its own slot's name", () => {
    expect(ownership({ name: "dockhost.slot.s1", labels: LABELS }, "b-1")).toMatchObject({ kind: "unclaimed" });
  });

  it.each([
    ["another backend's id", "dockhost-ada", { ...LABELS, "dockhost.backend": "b-2" }],
    ["no label at all", "dockhost-ada", {}],
    ["the labels under a name of its own, as a copy by hand does", "my-copy", LABELS],
    ["another slot's name", "dockhost.slot.s2", LABELS],
    ["a name that no user can have", "dockhost--ada", LABELS],
    ["a port label that is no port", "dockhost-ada", { ...LABELS, "dockhost.ports": "1024; rm" }],
  ])("but not where it bears %s", (_, name, labels) => {
    expect(ownership({ name, labels }, "b-1").kind).toBe("foreign");
  });

  it("under no other name, whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const { kind } = ownership({ name, labels: LABELS }, "b-1");
        const fits = /^dockhost-[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name) || name === "dockhost.slot.s1";
        expect(kind === "foreign").toBe(!fits);
      }),
    );
  });
});
