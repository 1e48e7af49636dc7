import { describe, expect, it } from "vitest";
import { pullProgress } from "./pull-progress.ts";

describe("the progress of a pull", () => {
  it("counts the bytes of all layers, and a finished layer in full", async () => {
    expect(
      await heard([
        { status: "Pulling from instance", id: "latest" },
        { status: "Downloading", id: "a", progressDetail: { current: 10, total: 100 } },
        { status: "Downloading", id: "b", progressDetail: { current: 5, total: 50 } },
        { status: "Downloading", id: "a", progressDetail: { current: 90, total: 100 } },
        { status: "Download complete", id: "a", progressDetail: {} },
        { status: "Extracting", id: "a", progressDetail: { current: 1, total: 100 } },
        { status: "Download complete", id: "b", progressDetail: {} },
        { status: "Status: Downloaded newer image" },
      ]),
    ).toEqual([
      [10, 100],
      [15, 150],
      [95, 150],
      [105, 150],
      [150, 150],
    ]);
  });

  it("is silent of layers that are here already", async () => {
    expect(await heard([{ status: "Already exists", id: "a", progressDetail: {} }])).toEqual([]);
  });

  it("ends in the error that the stream carries", async () => {
    await expect(heard([{ status: "Pulling" }, { error: "manifest unknown" }])).rejects.toMatchObject({
      kind: "other",
      message: "manifest unknown",
    });
  });
});

async function heard(lines: readonly object[]): Promise<[number, number][]> {
  const told: [number, number][] = [];
  await pullProgress(streamOf(lines), (current, total) => told.push([current, total]));
  return told;
}

async function* streamOf(lines: readonly object[]): AsyncGenerator<string> {
  for (const line of lines) {
    await Promise.resolve();
    yield JSON.stringify(line);
  }
}
