/** Groups of bars side by side, each with a whisker up to its 95th percentile. */
export interface Bars {
  kind: "bars";
  title: string;
  unit: string;
  groups: readonly { name: string; bars: readonly { series: string; value: number; upTo: number }[] }[];
}

export interface Lines {
  kind: "lines";
  title: string;
  unit: string;
  /** What runs from left to right. */
  along: string;
  series: readonly { name: string; points: readonly { x: number; y: number }[] }[];
}

export type Panel = Bars | Lines;

const COLUMNS = 2;
const PANEL = { width: 440, height: 325 };
/** Of the drawing within its panel. */
const AREA = { left: 56, top: 44, right: 424, bottom: 210 };
const LEGEND_LINE = 16;
const TICKS = 4;

/** Told apart also by those who see no red and green (Okabe and Ito), on paper and on a dark screen. */
const COLOURS = [
  { light: "#0072b2", dark: "#56b4e9" },
  { light: "#d55e00", dark: "#ff8a3d" },
  { light: "#009e73", dark: "#2fc79a" },
  { light: "#b58900", dark: "#f0e442" },
  { light: "#a3527f", dark: "#e39ac6" },
  { light: "#4b5563", dark: "#c9d1d9" },
  { light: "#3b4cc0", dark: "#9aa8ff" },
];

/** One drawing of all panels, two in a row. The same name has the same colour in each of them. */
export function svg(panels: readonly Panel[]): string {
  const names = [...new Set(panels.flatMap(namesIn))];
  const rows = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [PANEL.width * COLUMNS, PANEL.height * rows];
  const drawn = panels.map((panel, index) => {
    const [x, y] = [(index % COLUMNS) * PANEL.width, Math.floor(index / COLUMNS) * PANEL.height];
    return element("g", { transform: `translate(${x} ${y})` }, panelIn(panel, names));
  });
  const frame = { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img" };
  return `${element("svg", frame, element("style", {}, style()) + drawn.join("\n"))}\n`;
}

function style(): string {
  const colours = (scheme: "light" | "dark"): string =>
    COLOURS.map((colour, index) => `.c${index} { fill: ${colour[scheme]}; stroke: ${colour[scheme]}; }`).join(" ");
  return `
text { font: 11px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 13px; font-weight: 600; }
.quiet { fill: #57606a; }
.grid { stroke: #8c959f; stroke-opacity: 0.35; }
.whisker { stroke: #57606a; }
.line { fill: none; stroke-width: 2; }
${colours("light")}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .quiet { fill: #9da7b1; } .whisker { stroke: #c9d1d9; }
${colours("dark")}
}
.line { fill: none; }
`;
}

function panelIn(panel: Panel, names: readonly string[]): string {
  const top = topOf(panel);
  const y = (value: number): number => AREA.bottom - (value / top) * (AREA.bottom - AREA.top);
  const colour = (name: string): string => `c${names.indexOf(name) % COLOURS.length}`;
  const title = `${panel.title}, ${panel.unit}`;
  const drawn = panel.kind === "bars" ? barsIn(panel, y, colour) : linesIn(panel, y, colour);
  return [text(title, { x: 12, y: 20, class: "title" }), scale(top, y), drawn, legend(panel, colour)].join("\n");
}

function scale(top: number, y: (value: number) => number): string {
  const steps = Array.from({ length: TICKS + 1 }, (_, step) => (top / TICKS) * step);
  return steps
    .map((value) => {
      const line = element("line", { x1: AREA.left, x2: AREA.right, y1: y(value), y2: y(value), class: "grid" });
      return (
        line + text(String(round(value)), { x: AREA.left - 6, y: y(value) + 4, "text-anchor": "end", class: "quiet" })
      );
    })
    .join("\n");
}

function barsIn({ groups }: Bars, y: (value: number) => number, colour: (name: string) => string): string {
  const pitch = (AREA.right - AREA.left) / groups.length;
  return groups
    .map(({ name, bars }, index) => {
      const begin = AREA.left + index * pitch + pitch * 0.1;
      const width = Math.min(36, (pitch * 0.8) / bars.length);
      const drawn = bars.map((bar, place) => {
        const x = begin + place * width;
        const middle = x + width * 0.45;
        const body = { x, y: y(bar.value), width: width * 0.9, height: AREA.bottom - y(bar.value) };
        const whisker = { x1: middle, x2: middle, y1: y(bar.value), y2: y(bar.upTo), class: "whisker" };
        return element("rect", { ...body, class: colour(bar.series) }) + element("line", whisker);
      });
      const at = { x: begin + (bars.length * width) / 2, y: AREA.bottom + 16, "text-anchor": "middle", class: "quiet" };
      return drawn.join("") + text(name, at);
    })
    .join("\n");
}

function linesIn(panel: Lines, y: (value: number) => number, colour: (name: string) => string): string {
  const { series, along } = panel;
  const places = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))];
  const furthest = Math.max(...places, 1);
  const x = (place: number): number => AREA.left + 8 + (place / furthest) * (AREA.right - AREA.left - 16);
  const marks = places.map((place) =>
    text(String(place), { x: x(place), y: AREA.bottom + 16, "text-anchor": "middle", class: "quiet" }),
  );
  const drawn = series.map(({ name, points }) => {
    const path = points.map((point) => `${round(x(point.x))},${round(y(point.y))}`).join(" ");
    const dots = points.map((point) =>
      element("circle", { cx: x(point.x), cy: y(point.y), r: 3, class: colour(name) }),
    );
    return element("polyline", { points: path, class: `line ${colour(name)}` }) + dots.join("");
  });
  const below = { x: AREA.right, y: AREA.bottom + 30, "text-anchor": "end", class: "quiet" };
  return [...marks, ...drawn, text(along, below)].join("\n");
}

function legend(panel: Panel, colour: (name: string) => string): string {
  return namesIn(panel)
    .map((name, line) => {
      const y = AREA.bottom + 30 + line * LEGEND_LINE;
      const patch = element("rect", { x: 12, y: y - 8, width: 9, height: 9, class: colour(name) });
      return patch + text(name, { x: 26, y });
    })
    .join("\n");
}

const namesIn = (panel: Panel): string[] => [
  ...new Set(
    panel.kind === "bars"
      ? panel.groups.flatMap(({ bars }) => bars.map(({ series }) => series))
      : panel.series.map(({ name }) => name),
  ),
];

function topOf(panel: Panel): number {
  const values =
    panel.kind === "bars"
      ? panel.groups.flatMap(({ bars }) => bars.map(({ value, upTo }) => Math.max(value, upTo)))
      : panel.series.flatMap(({ points }) => points.map(({ y }) => y));
  return roundedUp(Math.max(...values));
}

/** To a number that divides into as many even steps. */
export function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value / TICKS));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power * TICKS >= value) ?? 10;
  return step * power * TICKS;
}

const text = (content: string, attributes: Attributes): string => element("text", attributes, escaped(content));

type Attributes = Readonly<Record<string, string | number>>;

function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${inAttribute(value)}"`);
  return `<${name}${written.join("")}>${content}</${name}>`;
}

const inAttribute = (value: string | number): string =>
  typeof value === "number" ? String(round(value)) : escaped(value);

const round = (value: number): number => Math.round(value * 100) / 100;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (content: string): string => content.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
