import { steps } from "../observe/steps.ts";
import { DockerApiError } from "./docker-api.ts";
import { isConnectionLost, toEngineError } from "./docker-errors.ts";
import { EngineError } from "./engine.ts";

const step = steps("engine");

/** For calls that may be made twice: a connection that the Engine closed while idle costs one more try. */
export async function repeatable<T>(name: string, call: () => Promise<T>): Promise<T> {
  return once(name, async () => {
    try {
      return await call();
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      return await call();
    }
  });
}

export async function once<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await step.time(name, call);
  } catch (error) {
    throw toEngineError(error);
  }
}

export async function unlessNotFound<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof EngineError && error.kind === "not-found") return undefined;
    throw error;
  }
}

export async function unlessNotModified(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof DockerApiError && error.status === 304)) throw error;
  }
}
