#!/usr/bin/env node
import { Command } from "commander";
import { loadConfig } from "./config.ts";
import { runOperation, sizeOf } from "./operation.ts";
import { backUp } from "./store/backup.ts";

await new Command("dockhost-backup")
  .description("Copies the main server's store as it is at one moment, also while the main server runs and writes.")
  .option("--to <file>", "file that is not there yet, or a directory (default: backups/ in the data directory)")
  .option("--data-dir <directory>", "of the main server (default: as its configuration says)")
  .action(run)
  .parseAsync();

async function run({ to, dataDir }: { to?: string; dataDir?: string }): Promise<void> {
  await runOperation(() => {
    const directory = dataDir ?? loadConfig().dataDir;
    console.log(`… copying and checking the store of ${directory}`);
    const { file, bytes } = backUp(directory, to);
    console.log(`✓ backup: ${file} (${sizeOf(bytes)})`);
  });
}
