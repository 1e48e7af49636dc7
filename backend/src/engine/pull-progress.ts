import { EngineError } from "./engine.ts";

interface PullLine {
  id?: string;
  status?: string;
  progressDetail?: { current?: number; total?: number };
  error?: string;
}

/**
 * Reads the Engine's pull stream to its end, telling after each line how many bytes of all layers known so far are
 * downloaded. The total grows while the Engine is still finding layers. Rejects with the error that the stream carries.
 */
export async function pullProgress(
  lines: AsyncIterable<string>,
  onBytes: (current: number, total: number) => void,
): Promise<void> {
  const layers = new Map<string, { current: number; total: number }>();
  for await (const text of lines) {
    if (text.trim() === "") continue;
    const line = JSON.parse(text) as PullLine;
    if (line.error !== undefined) throw new EngineError("other", line.error);
    if (noteLayer(layers, line)) onBytes(...sum(layers.values()));
  }
}

function noteLayer(layers: Map<string, { current: number; total: number }>, line: PullLine): boolean {
  const { id, status, progressDetail } = line;
  if (id === undefined) return false;
  const known = layers.get(id);
  if (status === "Downloading" && progressDetail?.total !== undefined) {
    layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total });
    return true;
  }
  if (status === "Download complete" && known !== undefined) {
    known.current = known.total;
    return true;
  }
  return false;
}

function sum(layers: Iterable<{ current: number; total: number }>): [number, number] {
  let current = 0;
  let total = 0;
  for (const layer of layers) {
    current += layer.current;
    total += layer.total;
  }
  return [current, total];
}
