export interface ConnectionFault {
  message: string;
  /** What a person can do about it. */
  remedy: string;
}

/** Node's error of the socket, which Socket.IO wraps in an event of its own. */
interface SocketFault {
  code?: string;
  message?: string;
}

/** A failed connect in the words of the documentation; `wasRefused` tells a server's answer from no answer. */
export function connectionFault(error: Error, wasRefused: boolean, url: string): ConnectionFault {
  if (wasRefused) {
    return {
      message: "Authentication failed",
      remedy: `check DOCKHOST_API_KEY, or make a new key on the main server (it said: ${error.message})`,
    };
  }
  const { code, message } = socketFault(error);
  if (code === "ECONNREFUSED") {
    return {
      message: `connect ECONNREFUSED ${hostAndPort(url)}`,
      remedy: "check MAIN_SERVER_BACKEND_URL and that the main server runs",
    };
  }
  return {
    message: `No connection to ${hostAndPort(url)} (${message})`,
    remedy: "check MAIN_SERVER_BACKEND_URL and the network",
  };
}

function socketFault(error: Error): { code: string | undefined; message: string } {
  const { description, context } = error as { description?: unknown; context?: { statusText?: unknown } };
  const inner = innermost([description, context?.statusText]);
  return { code: inner?.code, message: inner?.message ?? error.message };
}

/** Both transports hide Node's error, one in an event's `error`, one in an AggregateError for a name with two addresses. */
function innermost(candidates: readonly unknown[]): SocketFault | undefined {
  for (const candidate of candidates) {
    if (candidate === null || typeof candidate !== "object") continue;
    const { error, errors } = candidate as { error?: unknown; errors?: unknown[] };
    const inner = innermost([error, ...(errors ?? [])]);
    if (inner) return inner;
    if ("code" in candidate) return candidate as SocketFault;
  }
  return undefined;
}

function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}
