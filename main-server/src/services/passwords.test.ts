import { verify } from "@node-rs/argon2";
import { expect, test } from "vitest";
import { Passwords } from "./passwords.ts";

const parametersOf = (passwordHash: string) => passwordHash.split("$").slice(0, 4).join("$");

test("a wrong user costs the very work of a wrong password: one argon2id verification of the same parameters", async () => {
  const verified: string[] = [];
  const passwords = await Passwords.create((passwordHash, password) => {
    verified.push(passwordHash);
    return verify(passwordHash, password);
  });
  const adas = await passwords.hash("correct horse");
  expect(await passwords.matches(adas, "not that one")).toBe(false);
  expect(await passwords.matches(undefined, "not that one")).toBe(false);
  expect(verified.map(parametersOf)).toEqual(["$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=19456,t=2,p=1"]);
  expect(verified[1]).not.toBe(adas);
});

test("nobody's password opens nothing, and one's own does", async () => {
  const passwords = await Passwords.create();
  expect(await passwords.matches(undefined, "nobody's password")).toBe(false);
  expect(await passwords.matches(await passwords.hash("correct horse"), "correct horse")).toBe(true);
});
