import { useSyncExternalStore } from "react";

const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORED_AS = "dockhost-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const followers = new Set<() => void>();

dark.addEventListener("change", applyTheme);

/** Puts the theme that is wished for, or else the system's, on the document. */
export function applyTheme(): void {
  const wish = chosenTheme();
  document.documentElement.dataset.theme = wish === "system" ? (dark.matches ? "dark" : "light") : wish;
  for (const follow of followers) follow();
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORED_AS, theme);
  applyTheme();
}

export function useTheme(): Theme {
  return useSyncExternalStore(follow, chosenTheme);
}

function chosenTheme(): Theme {
  const stored = localStorage.getItem(STORED_AS);
  return THEMES.find((theme) => theme === stored) ?? "system";
}

function follow(changed: () => void): () => void {
  followers.add(changed);
  return () => followers.delete(changed);
}
