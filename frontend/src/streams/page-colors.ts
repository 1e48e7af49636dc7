/** A colour of the page's theme, as it is now: `accent` is `--color-accent`, a hexadecimal one. */
export function pageColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--color-${name}`).trim();
}

export const isDark = (): boolean => getComputedStyle(document.documentElement).colorScheme === "dark";

/** The page writes its theme, the system's where none was chosen, on the document. Returns what ends the watch. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}
