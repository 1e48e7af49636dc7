import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import { streamPath } from "../api/http.ts";
import { ByteStream } from "./byte-stream.ts";
import { canWriteClipboard, copyText } from "../parts/clipboard.ts";
import { documentUnderCsp, rowsUnderCsp } from "./document-under-csp.ts";
import { openLink } from "./open-link.ts";
import { onThemeChange } from "./page-colors.ts";
import type { StreamState } from "./stream-state.ts";
import { terminalTheme } from "./terminal-theme.ts";

const RESIZE_AFTER_MS = 100;
/** Of the protocol, either way. */
const SIDE_MAX = 1_000;
const SCROLLBACK_LINES = 5_000;

/**
 * What a program that was cut off may have left on: the other screen, the mouse, focus reports, pasting in brackets. Leaving
 * the other screen goes back to where the cursor was saved, which is here if that screen was not on.
 */
const AS_AT_FIRST = "\x1b7\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?2004l\x1b[!p";
const FAINT = "\x1b[90m";
const PLAIN = "\x1b[0m";

interface ShellListener {
  onState(state: StreamState): void;
  /** The person wants to go elsewhere by keyboard. */
  onLeave(): void;
  /** One sentence for the person. */
  onNote(note: string): void;
}

/** A terminal on the page, and the shell in the instance that it is of. */
export class Shell {
  readonly #terminal: Terminal;
  readonly #stream: ByteStream;
  readonly #listener: ShellListener;
  readonly #cleanUp: (() => void)[];
  #state: StreamState = { kind: "connecting" };

  /** `describedBy` is the id of what tells how to leave it. */
  constructor(host: HTMLElement, instanceId: string, describedBy: string, listener: ShellListener) {
    this.#listener = listener;
    this.#terminal = openTerminal(host, describedBy);
    const fit = new FitAddon();
    this.#terminal.loadAddon(fit);
    fit.fit();
    this.#stream = this.#createStream(instanceId);
    this.#takeInput();
    this.#cleanUp = [
      onResize(host, () => fit.fit()),
      onThemeChange(() => (this.#terminal.options.theme = terminalTheme())),
      onCopied(host, () => this.#terminal.clearSelection()),
      () => this.#stream.close(),
      () => this.#terminal.dispose(),
    ];
    this.#stream.dial();
    this.#terminal.focus();
  }

  /** Opens a new one. */
  reconnect(): void {
    this.#stream.dial();
    this.#terminal.focus();
  }

  /** Its instance is there again: what has waited for that, or was given up, is dialled; a shell that has ended stays so. */
  comeBack(): void {
    const { kind } = this.#state;
    if (kind === "lost" || (kind === "ended" && this.#state.failed)) this.#stream.dial();
  }

  close(): void {
    for (const undo of this.#cleanUp) undo();
  }

  #createStream(instanceId: string): ByteStream {
    const terminal = this.#terminal;
    return new ByteStream(() => streamPath.shell(instanceId, sizeOf(terminal)), {
      onState: (state) => this.#enter(state),
      // It may have changed while the connection was made.
      onOpen: () => this.#stream.resize(sizeOf(terminal)),
      onBytes: (bytes, seen) => terminal.write(bytes, seen),
    });
  }

  #enter(state: StreamState): void {
    const wasConnected = this.#state.kind === "connected";
    this.#state = state;
    if (wasConnected) this.#terminal.write(`${AS_AT_FIRST}\r\n${FAINT}The shell has ended.${PLAIN}\r\n`);
    this.#listener.onState(state);
  }

  #takeInput(): void {
    const terminal = this.#terminal;
    const encoder = new TextEncoder();
    terminal.onData((text) => {
      if (this.#state.kind === "connected") this.#stream.send(encoder.encode(text));
      else if (text === "\r" && this.#state.kind !== "connecting") this.#stream.dial();
    });
    // Reports of the mouse in its older form, one character a byte.
    terminal.onBinary((text) => this.#stream.send(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    terminal.onResize(() => this.#stream.resize(sizeOf(terminal)));
    terminal.attachCustomKeyEventHandler((event) => !this.#isOurs(event));
  }

  /** Whether a key is the page's, or the browser's, and not the shell's. */
  #isOurs(event: KeyboardEvent): boolean {
    const { type, ctrlKey, shiftKey, altKey, metaKey } = event;
    if (!ctrlKey || altKey || metaKey) return false;
    const key = event.key.toLowerCase();
    const isPress = type === "keydown";
    if (shiftKey && key === "x") {
      event.preventDefault();
      if (isPress) this.#listener.onLeave();
      return true;
    }
    // The browser pastes, and no permission is asked for.
    if (shiftKey && key === "v") return true;
    if (key !== "c") return false;
    const isForCopy = shiftKey || this.#terminal.hasSelection();
    if (isForCopy && isPress) this.#copy(event);
    return isForCopy;
  }

  #copy(event: KeyboardEvent): void {
    const text = this.#terminal.getSelection();
    if (canWriteClipboard()) {
      event.preventDefault();
      if (text === "") return;
      this.#terminal.clearSelection();
      void copyText(text).then((note) => this.#listener.onNote(note));
    } else if (event.shiftKey) {
      // It would open the browser's inspector. Ctrl+C alone is copied by the browser itself.
      event.preventDefault();
      this.#listener.onNote("Select something, then press Ctrl+C: other ways to copy need HTTPS here.");
    }
  }
}

function openTerminal(host: HTMLElement, describedBy: string): Terminal {
  const ownDocument = documentUnderCsp();
  const terminal = new Terminal({
    documentOverride: ownDocument,
    fontFamily: getComputedStyle(host).fontFamily,
    fontSize: 14,
    scrollback: SCROLLBACK_LINES,
    screenReaderMode: true,
    minimumContrastRatio: 4.5,
    theme: terminalTheme(),
    // The text of such a link may say anything.
    linkHandler: {
      activate: (_, address) => {
        if (window.confirm(`Open ${address}?`)) openLink(address);
      },
    },
  });
  terminal.loadAddon(new WebLinksAddon((_, address) => openLink(address)));
  terminal.open(host);
  rowsUnderCsp(terminal, ownDocument);
  terminal.textarea?.setAttribute("aria-describedby", describedBy);
  return terminal;
}

const sizeOf = ({ cols, rows }: Terminal): { columns: number; rows: number } => ({
  columns: Math.min(cols, SIDE_MAX),
  rows: Math.min(rows, SIDE_MAX),
});

/** After the last of many changes in a row, as while a window is drawn. */
function onResize(host: HTMLElement, resized: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const observer = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(resized, RESIZE_AFTER_MS);
  });
  observer.observe(host);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
  };
}

/** By the browser, so that the next Ctrl+C is the shell's again. */
function onCopied(host: HTMLElement, copied: () => void): () => void {
  host.addEventListener("copy", copied);
  return () => host.removeEventListener("copy", copied);
}
