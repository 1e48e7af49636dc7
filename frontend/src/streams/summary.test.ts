import { describe, expect, it } from "vitest";
import { summary } from "./summary.ts";

describe("a chart in words", () => {
  it("says what is now, least and most of each series", () => {
    const series = [
      { name: "Received", values: [1024, 3072, 2048] },
      { name: "Sent", values: [] },
    ];
    expect(summary("Network", series, "B/s")).toBe(
      "Network. Received: now 2 KiB/s, least 1 KiB/s, most 3 KiB/s. Sent: nothing measured yet.",
    );
  });
});
