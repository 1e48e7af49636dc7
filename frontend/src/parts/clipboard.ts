/** Browsers give their clipboard to pages of HTTPS and of this machine alone; typed as always there, elsewhere it is not. */
export const canWriteClipboard = (): boolean => (navigator.clipboard as Clipboard | undefined) !== undefined;

/** Whether it is there now. */
export async function writeClipboard(text: string): Promise<boolean> {
  if (!canWriteClipboard()) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Resolves with a sentence on how it went. */
export async function copyText(text: string): Promise<string> {
  if (await writeClipboard(text)) return "Copied.";
  if (canWriteClipboard()) return "The browser did not let this page copy.";
  return "This browser lets only pages of HTTPS copy.";
}
