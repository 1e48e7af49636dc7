#!/usr/bin/env node
import { Command } from "commander";
import { loadConfig } from "./config.ts";
import { askToRestore } from "./control/control-socket.ts";
import { runOperation } from "./operation.ts";
import { BackupError } from "./store/backup.ts";
import { DataDirectory } from "./store/data-directory.ts";
import { replaceStore, StagedBackup } from "./store/restore.ts";
import { StoreHeldError } from "./store/store-error.ts";

await new Command("dockhost-restore")
  .description("Puts a backup in the place of the main server's store, also while the main server runs.")
  .argument("<file>", "a backup; it is only read")
  .option("--data-dir <directory>", "of the main server (default: as its configuration says)")
  .addHelpText(
    "after",
    "\nThe former store is kept beside the new one under a dated name. Instances keep running; backends connect again and tell\nwhat they have. Who signed out since the backup stays signed out; API keys revoked since are live again.",
  )
  .action(run)
  .parseAsync();

async function run(file: string, { dataDir }: { dataDir?: string }): Promise<void> {
  await runOperation(async () => {
    const given = dataDir ?? loadConfig().dataDir;
    console.log(`… checking ${file}`);
    const kept = await restore(given, file);
    console.log(kept === undefined ? "There was no store before." : `  the former store is kept: ${kept}`);
    console.log(`✓ restored: ${file} is now the store of ${given}`);
  });
}

/** By the main server that has the directory, or else by us. Answers where the former store is. */
async function restore(dataDir: string, file: string): Promise<string | undefined> {
  const directory = await takeUnlessServed(dataDir);
  try {
    using staged = StagedBackup.make(directory?.path ?? dataDir, file);
    if (directory) return await replaceStore(directory, staged.file);
    console.log("… asking the main server that runs to take it over");
    const reply = await askToRestore(dataDir, staged.file);
    if (!reply) throw new BackupError(`The main server that works in ${dataDir} cannot be asked; stop it first.`);
    if ("problem" in reply) throw new BackupError(reply.problem);
    return reply.kept;
  } finally {
    await directory?.[Symbol.asyncDispose]();
  }
}

async function takeUnlessServed(dataDir: string): Promise<DataDirectory | undefined> {
  try {
    return await DataDirectory.take(dataDir);
  } catch (error) {
    if (error instanceof StoreHeldError) return undefined;
    throw error;
  }
}
