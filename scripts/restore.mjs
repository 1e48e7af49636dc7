import "./node-version.mjs";
import { operate } from "./operate.mjs";
import { runAsEntry } from "./problem.mjs";

/** Puts a backup in the place of the store of the main server that `npm start` runs, running or not. */
runAsEntry(import.meta.url, () => operate("main-server/dist/restore.js"));
