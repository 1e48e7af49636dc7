#!/usr/bin/env node
import "./young-generation.ts";
import { Command } from "commander";
import { createAgent } from "./agent.ts";
import { CONFIG_HELP, ConfigError, readConfig, type Config } from "./config.ts";
import { DataDirectoryError } from "./containers/data-directory.ts";
import { createLog } from "./observe/log.ts";
import { hideFromSteps } from "./observe/steps.ts";
import { VERSION } from "./version.ts";

new Command("dockhost-backend")
  .description("Lends this machine's Docker to a DockHost main server: one container per user, reached by plain SSH.")
  .version(VERSION)
  .addHelpText("after", `\n${CONFIG_HELP}`)
  .allowExcessArguments(false)
  .parse();

await main();

async function main(): Promise<void> {
  const config = configOrComplaint();
  if (!config) {
    process.exitCode = 1;
    return;
  }
  hideFromSteps(config.apiKey);
  const log = createLog({ ...config.log, secrets: [config.apiKey] });
  const stopped = stopRequested();
  try {
    const agent = await createAgent(config, log);
    void agent.ready.then(() => process.send?.({ connected: true }));
    log.info({ reason: await stopped }, "Shutting down; containers keep running");
    await agent[Symbol.asyncDispose]();
  } catch (error) {
    if (!(error instanceof DataDirectoryError)) throw error;
    log.error({}, error.message);
    process.exitCode = 1;
  }
  // A call that the Engine has not answered would keep the process.
  process.exit();
}

function configOrComplaint(): Config | undefined {
  try {
    return readConfig(process.env, { cwd: process.cwd(), isTerminal: process.stdout.isTTY });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) console.error(fault);
    console.error("See dockhost-backend --help for every setting.");
    return undefined;
  }
}

/** A later signal changes nothing. A parent that is gone without a word has ended us too. */
function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve(signal));
    process.once("disconnect", () => resolve("the parent process is gone"));
  });
}
