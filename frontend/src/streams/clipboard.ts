/** Browsers give their clipboard to pages of HTTPS and of this machine alone; typed as always there, elsewhere it is not. */
export const canWriteClipboard = (): boolean => (navigator.clipboard as Clipboard | undefined) !== undefined;

/** Resolves with a sentence on how it went. */
export async function copyText(text: string): Promise<string> {
  if (!canWriteClipboard()) return "This browser lets only pages of HTTPS copy.";
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    return "The browser did not let this page copy.";
  }
}
