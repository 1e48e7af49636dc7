/** Only what leads to the web, and it learns nothing of this page. */
export function openLink(address: string): void {
  if (URL.canParse(address) && ["http:", "https:"].includes(new URL(address).protocol)) {
    window.open(address, "_blank", "noopener,noreferrer");
  }
}
