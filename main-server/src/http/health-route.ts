import { failures } from "@dockhost/protocol/rest";
import * as z from "zod";
import type { App } from "./app.ts";

const Health = z.object({ status: z.literal("ok"), version: z.string(), uptimeSeconds: z.number() });

/** `check` throws where the server cannot serve. */
export function healthRoute(app: App, version: string, check: () => Promise<void>): void {
  app.get(
    "/health",
    { config: { rateLimit: false }, schema: { tags: ["health"], response: { 200: Health, ...failures } } },
    async () => {
      await check();
      return { status: "ok" as const, version, uptimeSeconds: Math.floor(process.uptime()) };
    },
  );
}
