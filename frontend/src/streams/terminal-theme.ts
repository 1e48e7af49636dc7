import type { ITheme } from "@xterm/xterm";
import { isDark, pageColor } from "./page-colors.ts";

/** The page's ground and ink, and sixteen colours that can be read on it. */
export function terminalTheme(): ITheme {
  const accent = pageColor("accent");
  return {
    background: pageColor("surface"),
    foreground: pageColor("ink"),
    cursor: accent,
    cursorAccent: pageColor("surface"),
    selectionBackground: `${accent}55`,
    ...(isDark() ? ON_DARK : ON_LIGHT),
  };
}

const ON_LIGHT: ITheme = {
  black: "#14201e",
  red: "#b3201f",
  green: "#14713a",
  yellow: "#8a5a06",
  blue: "#1d4ed8",
  magenta: "#8b2fa0",
  cyan: "#0f6d65",
  white: "#aab7b3",
  brightBlack: "#5d6b68",
  brightRed: "#c62828",
  brightGreen: "#1a7f43",
  brightYellow: "#8f6400",
  brightBlue: "#2563eb",
  brightMagenta: "#a23bbb",
  brightCyan: "#0e7490",
  brightWhite: "#dbe2e0",
};

const ON_DARK: ITheme = {
  black: "#27312f",
  red: "#ff8a85",
  green: "#5fd38a",
  yellow: "#e8b64c",
  blue: "#7ab0ff",
  magenta: "#d6a0ff",
  cyan: "#3fcabb",
  white: "#c9d3d0",
  brightBlack: "#8b9995",
  brightRed: "#ffaba7",
  brightGreen: "#8be8ad",
  brightYellow: "#f6d17f",
  brightBlue: "#a7caff",
  brightMagenta: "#e6c3ff",
  brightCyan: "#7fe3d8",
  brightWhite: "#ffffff",
};
