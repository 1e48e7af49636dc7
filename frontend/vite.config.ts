import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./precompress.ts";

const protocolSource = fileURLToPath(new URL("../protocol/src/", import.meta.url));

export default defineConfig({
  plugins: [react(), tailwindcss(), precompress()],
  resolve: {
    // From its source, so that what the page does not use of it stays out.
    alias: [
      { find: /^@dockhost\/protocol$/, replacement: `${protocolSource}index.ts` },
      { find: /^@dockhost\/protocol\/(.+)$/, replacement: `${protocolSource}$1.ts` },
    ],
  },
  build: {
    target: "es2022",
    assetsDir: "assets",
    // The page's policy allows neither inline scripts nor data: but for images; what is a file stays one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:3001", ws: true } } },
});
