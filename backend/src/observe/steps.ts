import { formatWithOptions } from "node:util";
import createDebug from "debug";
import { maskSecrets } from "./secrets.ts";

const hidden: string[] = [];

/** Keeps `secret` out of whatever `DEBUG` shows, of the libraries' own namespaces too: Socket.IO's tell the handshake. */
export function hideFromSteps(secret: string): void {
  hidden.push(secret);
}

createDebug.log = (...line: unknown[]) =>
  process.stderr.write(`${maskSecrets(formatWithOptions({}, ...line), hidden)}\n`);

/** Writes a step of the work to standard error where `DEBUG` asks for it; never hand it a key or a token. */
export interface Steps {
  /** `message` may hold printf-like places (`%s`, `%d`, `%o`) for the values. */
  (message: string, ...values: unknown[]): void;
  /** Runs `work` and writes how long it took, or how long it took to fail. */
  time<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** The steps of one part of the backend: shown by `DEBUG=dockhost:<namespace>`, free of cost otherwise. */
export function steps(namespace: string): Steps {
  const write = createDebug(`dockhost:${namespace}`);
  return Object.assign((message: string, ...values: unknown[]) => write(message, ...values), {
    time: <T>(name: string, work: () => Promise<T>) => (write.enabled ? timed(write, name, work) : work()),
  });
}

async function timed<T>(write: createDebug.Debugger, name: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const elapsed = () => (performance.now() - begin).toFixed(1);
  try {
    const result = await work();
    write("%s %s ms", name, elapsed());
    return result;
  } catch (error) {
    write("%s failed after %s ms: %s", name, elapsed(), error instanceof Error ? error.message : String(error));
    throw error;
  }
}
