import { ConfigError } from "./config.ts";
import { BackupError } from "./store/backup.ts";
import { StoreError } from "./store/store-error.ts";

/** What whoever runs a command can mend, told without a stack trace. */
const FORESEEN = [BackupError, ConfigError, StoreError];

/** Runs an operator's command; a failure is told in one sentence and ends the process with 1. */
export async function runOperation(work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = 1;
    if (FORESEEN.some((kind) => error instanceof kind)) console.error(`✗ ${(error as Error).message}`);
    else console.error(error);
  }
}

const KIB = 1024;

export const sizeOf = (bytes: number): string =>
  bytes < KIB * KIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / (KIB * KIB)).toFixed(1)} MiB`;
