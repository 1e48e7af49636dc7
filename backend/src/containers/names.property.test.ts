import { Username } from "@dockhost/protocol";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { LABELS, ownership, slotName, userContainerName } from "./names.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };

const LETTERS_AND_DIGITS = new Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
const MARKS = new Set("_.-");

/** The contract's rule in other words. */
function mayBeUsername(text: string): boolean {
  const units = text.split("");
  const [first = ""] = units;
  if (units.length < 1 || units.length > 63 || !LETTERS_AND_DIGITS.has(first)) return false;
  return units.every((unit) => LETTERS_AND_DIGITS.has(unit) || MARKS.has(unit));
}

/** What the Engine says of a name that it does not take. */
const ENGINE_RULE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const sound = fc.constantFrom(...LETTERS_AND_DIGITS, ...MARKS);
const odd = fc.constantFrom(
  ...["\0", "\n", "\r", "\t", " ", "/", "\\", ":", "@", "$", "'", "`", ";", "%", "*", "~", "=", "\u007f"],
  ...[
    "а",
    "ο",
    "ſ",
    "K",
    "ａ",
    "１",
    "٣",
    "ı",
    "é",
    "e\u0301",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\ud83e",
    "愛",
    "‐",
    "．",
  ],
);
const soundText = fc.oneof(
  fc.string({ unit: sound, minLength: 0, maxLength: 6 }),
  fc.string({ unit: sound, minLength: 61, maxLength: 65 }),
);

const nearlyUsername = fc.oneof(
  soundText,
  fc.tuple(soundText, odd, fc.nat(70)).map(([text, character, at]) => text.slice(0, at) + character + text.slice(at)),
  fc.tuple(soundText, odd).map(([text, character]) => text + character),
  fc.tuple(fc.constantFrom("..", ".", "-", "_", "../", "/", "-", "slot."), soundText).map((parts) => parts.join("")),
  fc.constantFrom("dockhost", "dockhost-", "dockhost.slot.s1", "slot.s1", "constructor", "__proto__", "disconnect"),
  fc.string({ unit: "binary", maxLength: 70 }),
  fc.integer({ min: 64, max: 100_000 }).map((length) => "a".repeat(length)),
);

const username = fc.oneof(soundText, fc.constantFrom("slot.s1", "slot", "s1", "dockhost-ada")).filter(mayBeUsername);
const slot = fc.oneof(fc.uuid(), fc.string({ unit: sound, minLength: 1, maxLength: 70 }));

const labelsOf = (slot: string) => ({ [LABELS.backend]: "b-1", [LABELS.slot]: slot, [LABELS.ports]: "1024" });

test("a username is what the contract says, and nothing that looks like it", () => {
  fc.assert(
    fc.property(nearlyUsername, (text) => {
      expect(Username.safeParse(text).success).toBe(mayBeUsername(text));
    }),
    CASES,
  );
});

test("nothing but a text is a username", () => {
  fc.assert(
    fc.property(
      fc.anything().filter((value) => typeof value !== "string"),
      (value) => {
        expect(Username.safeParse(value).success).toBe(false);
      },
    ),
    CASES,
  );
});

test("whatever is taken for a username makes a name that the Engine takes, and leads back to that user alone", () => {
  fc.assert(
    fc.property(nearlyUsername, slot, (text, slot) => {
      const parsed = Username.safeParse(text);
      if (!parsed.success) return;
      const name = userContainerName(parsed.data);
      expect(name).toMatch(ENGINE_RULE);
      expect(ownership({ name, labels: labelsOf(slot) }, "b-1")).toEqual({
        kind: "claimed",
        username: text,
        slot,
        base: 1024,
      });
    }),
    CASES,
  );
});

test("two users have two names, and no user's name is a slot's", () => {
  fc.assert(
    fc.property(username, username, slot, (one, other, slot) => {
      expect(userContainerName(one) === userContainerName(other)).toBe(one === other);
      expect(userContainerName(one)).not.toBe(slotName(slot));
      expect(userContainerName(one).startsWith(slotName(""))).toBe(false);
    }),
    CASES,
  );
});

test("a container is a user's only under the name that this user has", () => {
  fc.assert(
    fc.property(fc.oneof(nearlyUsername, nearlyUsername.map(userContainerName)), slot, (name, slot) => {
      const owned = ownership({ name, labels: labelsOf(slot) }, "b-1");
      if (owned.kind !== "claimed") return;
      expect(mayBeUsername(owned.username)).toBe(true);
      expect(userContainerName(owned.username)).toBe(name);
    }),
    CASES,
  );
});
