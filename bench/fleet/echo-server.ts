import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { CONTAINERS_EACH, instanceIdOf, usernameOf } from "./population.ts";

/** What a command costs without DockHost: HTTP in, one Socket.IO event and its acknowledgement, HTTP out. */

interface Target {
  backend: number;
  username: string;
}

const targets = new Map<string, Target>();
for (let backend = 0; backend < Number(process.env.BACKENDS); backend++) {
  for (let slot = 0; slot < CONTAINERS_EACH; slot++) {
    targets.set(instanceIdOf(backend, slot), { backend, username: usernameOf(backend, slot) });
  }
}

const sockets = new Map<number, Socket>();
const http = createServer((request, response) => {
  const [, , , id = "", verb] = request.url?.split("/") ?? [];
  const target = targets.get(id);
  if (!target) return void response.writeHead(404).end();
  const { backend, username } = target;
  sockets.get(backend)?.emit(`${verb}-container`, { username }, (reply: object) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(reply));
  });
});

new Server(http, { serveClient: false }).on("connection", (socket) => {
  const { agentId } = socket.handshake.auth as { agentId: string };
  sockets.set(Number(agentId.replace("bench-", "")), socket);
});

process.on("disconnect", () => process.exit());
http.listen(0, "127.0.0.1", () => {
  process.send?.({ urls: [`http://127.0.0.1:${(http.address() as AddressInfo).port}`] });
});
