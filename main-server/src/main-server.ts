#!/usr/bin/env node
import { once } from "node:events";
import { Command } from "commander";
import { createMainServer, type MainServer } from "./app.ts";
import { ConfigError, loadConfig, VARIABLES } from "./config.ts";
import { ListenError } from "./http/doors.ts";
import { StoreError } from "./store/store-error.ts";
import { VERSION } from "./version.ts";

/** What whoever starts the server can mend, told without a stack trace. */
const FORESEEN = [ConfigError, ListenError, StoreError];

const stopped = stopRequested();

await new Command("dockhost-main-server")
  .description("DockHost's control plane: accounts, backends and their keys, instances, placement.")
  .version(VERSION)
  .addHelpText(
    "after",
    `\nConfigured by the environment, or by a .env file (see .env.example):\n  ${VARIABLES.join("\n  ")}`,
  )
  .action(run)
  .parseAsync();

async function run(): Promise<void> {
  try {
    const server = await createMainServer(loadConfig());
    announce(server);
    await stopped;
    await server[Symbol.asyncDispose]();
  } catch (error) {
    process.exitCode = 1;
    if (FORESEEN.some((kind) => error instanceof kind)) console.error((error as Error).message);
    else console.error("The main server could not run:", error);
  }
  // Listening for its end keeps the channel to a parent, and so this process, alive.
  if (process.connected) process.disconnect();
}

/** To the person who started it, and to a parent process. The token is never logged. */
function announce({ urls, signup, firstAccountToken }: MainServer): void {
  if (firstAccountToken !== undefined) {
    process.stdout.write(`The first account is made with this one-time token: ${firstAccountToken}\n`);
  }
  process.send?.({ ready: true, urls, signup, firstAccountToken });
}

/** A second signal, while the first is being obeyed, changes nothing. A parent that is gone has ended us too. */
async function stopRequested(): Promise<void> {
  process.on("SIGINT", ignore);
  process.on("SIGTERM", ignore);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), once(process, "disconnect")]);
}

function ignore(): void {
  // The listeners of `once` are gone after the first signal, and without one the next would kill.
}
