import { docker } from "./docker-cli.ts";

interface Left {
  name: string;
  backend: string;
}

/** A run leaves no container of a backend of its own on the machine's Engine; where it does, it says so and fails. */
export default async function nothingLeft(): Promise<() => Promise<void>> {
  const others = new Set((await managed()).map(({ backend }) => backend));
  return async () => {
    const left = (await managed()).filter(({ backend }) => !others.has(backend));
    if (left.length === 0) return;
    console.error(`The tests have left containers: ${left.map(({ name }) => name).join(", ")}`);
    process.exitCode = 1;
  };
}

async function managed(): Promise<Left[]> {
  const format = '{{.Names}} {{.Label "dockhost.backend"}}';
  const lines = await docker("ps", "--all", "--filter", "label=dockhost.managed", "--format", format);
  return lines.split("\n").flatMap((line) => {
    const [name, backend] = line.split(" ");
    return name && backend !== undefined ? [{ name, backend }] : [];
  });
}
