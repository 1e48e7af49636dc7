import { subscribe } from "node:diagnostics_channel";
import { existsSync, readFileSync, writeFileSync, writeSync } from "node:fs";

/**
 * Loaded into the backend's process before the backend (`node --import`): ends it by SIGKILL at the moments that the
 * file DOCKHOST_TEST_KILL_ORDERS names, one order a line: the failpoint's name and at which passing of it. An order
 * is struck off before it is carried out, so the next process follows the next one.
 */
const file = process.env["DOCKHOST_TEST_KILL_ORDERS"] ?? "";
let order = "";
let passings = 0;

subscribe("dockhost:failpoint", (name) => {
  if (!existsSync(file)) return;
  const [first = "", ...others] = readFileSync(file, "utf8").split("\n");
  if (first !== order) passings = 0;
  order = first;
  const [killAt, atPassing] = order.split(" ");
  if (name !== killAt) return;
  passings += 1;
  if (passings < Number(atPassing)) return;
  writeFileSync(file, others.join("\n"));
  writeSync(process.stderr.fd, `killed at ${order}\n`);
  process.kill(process.pid, "SIGKILL");
});
