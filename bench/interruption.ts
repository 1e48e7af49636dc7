/** Aborted by Ctrl-C: what is under way ends, what was made is removed, and nothing further is begun. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Each time: npm and tsx hand on what the terminal has sent to this process already.
    process.on(signal, () => controller.abort(new Error("Interrupted; what the bench made is removed.")));
  }
  return controller.signal;
}
