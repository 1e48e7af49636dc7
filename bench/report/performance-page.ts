import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const PAGE = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));
const BEGIN = "<!-- figures: written by npm run bench -- --write -->";
const END = "<!-- end of figures -->";

/** Puts `figures` in the place of the page's earlier ones; the text around them stays. */
export async function writePerformancePage(figures: string): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has lost the marks around its figures.`);
  await writeFile(PAGE, `${before}${BEGIN}\n\n${figures}\n\n${END}${after}`);
}
