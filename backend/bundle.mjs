import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * One file of the backend and all that it needs to start: Node reads one file in place of three hundred. What only some
 * starts need stays beside it in node_modules.
 */
await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["src/backend.ts"],
  outfile: "dist/backend.js",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // ssh2 brings native code, the others are extras that ws does without.
  external: ["ssh2", "bufferutil", "utf-8-validate"],
  // Names stay as they are: keeping them beside shorter ones costs each function that is made a call.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  // Packages in CommonJS ask for Node's own modules by it.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "warning",
});
