import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import type { Plugin } from "vite";

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** What is compressed already, like a picture, would only grow. */
const COMPRESSIBLE = /^assets\/.+\.(?:js|css|svg)$/;

/** Writes `.br` and `.gz` beside each asset, so that the best compression costs no request anything. */
export function precompress(): Plugin {
  return {
    name: "dockhost-precompress",
    apply: "build",
    async writeBundle({ dir = "" }, bundle) {
      const files = Object.keys(bundle).filter((file) => COMPRESSIBLE.test(file));
      await Promise.all(files.map((file) => compressed(join(dir, file))));
    },
  };
}

async function compressed(file: string): Promise<void> {
  const content = await readFile(file);
  await Promise.all([
    writeFile(`${file}.br`, await brotli(content)),
    writeFile(`${file}.gz`, await gzipped(content, { level: 9 })),
  ]);
}
