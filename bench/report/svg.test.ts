import { describe, expect, it } from "vitest";
import { roundedUp, svg, type Bars, type Lines } from "./svg.ts";

const bars: Bars = {
  kind: "bars",
  title: "Create",
  unit: "ms",
  groups: [
    {
      name: "1 at a time",
      bars: [
        { series: "ours", value: 100, upTo: 150 },
        { series: "theirs", value: 50, upTo: 400 },
      ],
    },
  ],
};
const lines: Lines = {
  kind: "lines",
  title: "List",
  unit: "ms",
  along: "containers",
  series: [
    {
      name: "theirs",
      points: [
        { x: 0, y: 1 },
        { x: 200, y: 10 },
      ],
    },
  ],
};

describe("drawing of the figures", () => {
  it("draws each bar as high as its value on the scale", () => {
    const heights = rectangles(svg([bars])).map(({ height }) => height);
    const [ours = 0, theirs = 0] = heights;
    expect(ours / theirs).toBeCloseTo(2);
  });

  it("gives the same name the same colour in each panel", () => {
    const drawn = svg([bars, lines]);
    const [ours, theirs] = rectangles(drawn).map((drawnBar) => drawnBar.class);
    expect(ours).not.toBe(theirs);
    expect(drawn).toMatch(new RegExp(`<polyline [^>]*class="line ${theirs}"`));
  });

  it("gives each of seven names a colour of its own", () => {
    const seven = Array.from({ length: 7 }, (_, number) => ({ series: `way ${number}`, value: 1, upTo: 1 }));
    const drawn = svg([{ ...bars, groups: [{ name: "all", bars: seven }] }]);
    const inUse = rectangles(drawn).map((drawnBar) => drawnBar.class);
    expect(new Set(inUse).size).toBe(7);
  });

  it("keeps everything inside", () => {
    const drawn = svg([bars, lines, bars]);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(drawn) ?? [];
    expect([Number(width), Number(height)]).toEqual([880, 650]);
    for (const { x, y, width: wide, height: high } of rectangles(drawn)) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(x + wide).toBeLessThanOrEqual(440);
      expect(y + high).toBeLessThanOrEqual(325);
    }
  });

  it("has colours for a dark page too", () => {
    expect(svg([bars])).toContain("prefers-color-scheme: dark");
  });

  it("lets no name break out of its place", () => {
    const drawn = svg([{ ...bars, title: `<a> & "b"` }]);
    expect(drawn).toContain("&lt;a&gt; &amp; &quot;b&quot;, ms");
    expect(drawn).not.toContain("<a>");
  });

  it("ends its scale at a round number not below the highest value", () => {
    expect([7, 8, 81, 100, 342, 0.03].map(roundedUp)).toEqual([8, 8, 100, 100, 400, 0.04]);
  });
});

function rectangles(drawn: string) {
  return [...drawn.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" class="(\w+)"/g)].map(
    ([, x, y, width, height, colour]) => ({
      x: Number(x),
      y: Number(y),
      width: Number(width),
      height: Number(height),
      class: colour,
    }),
  );
}
