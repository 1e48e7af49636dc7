import "./node-version.mjs";
import { operate } from "./operate.mjs";
import { runAsEntry } from "./problem.mjs";

/** Copies the store of the main server that `npm start` runs, running or not. */
runAsEntry(import.meta.url, () => operate("main-server/dist/backup.js"));
