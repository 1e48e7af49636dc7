import WebSocket from "ws";
import { success, type FakeBackend } from "./fake-backend.ts";

/** Makes `backend` open the streams that it is asked for; those that it has opened. */
export function openStreams(backend: FakeBackend, url: string): WebSocket[] {
  const opened: WebSocket[] = [];
  backend.scripts.set("open-stream", (request) => {
    const { streamId, token } = request as unknown as { streamId: string; token: string };
    const headers = { authorization: `Bearer ${token}` };
    opened.push(new WebSocket(`${url.replace(/^http/, "ws")}/streams/${streamId}`, { headers }));
    return success({ streamId });
  });
  return opened;
}
