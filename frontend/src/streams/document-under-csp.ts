import type { Terminal } from "@xterm/xterm";

/**
 * The page's Content-Security-Policy takes a `<style>` only with the page's nonce, and no `style` attribute at all; xterm's
 * renderer makes both. So it is given this document in place of the real one: its elements take styles in the ways that
 * the policy leaves open. All else is the real document's, which it also is to `instanceof`.
 */
export function documentUnderCsp(): Document {
  return new Proxy(document, {
    get(real, name) {
      if (name === "createElement") return createElement;
      const value: unknown = Reflect.get(real, name, real);
      // The browser's own methods work on the real document alone.
      return typeof value === "function" ? (value.bind(real) as unknown) : value;
    },
  });
}

/**
 * Once `terminal` is open: what makes its rows takes the global document whatever was passed (xterm 6.0.0,
 * `DomRenderer.ts`), and writes true colours into `style` attributes.
 */
export function rowsUnderCsp(terminal: Terminal, own: Document): void {
  const rows = (terminal as unknown as Insides)._core?._renderService?._renderer?.value?._rowFactory;
  if (rows) rows._document = own;
}

interface Insides {
  _core?: { _renderService?: { _renderer?: { value?: { _rowFactory?: { _document: Document } } } } };
}

function createElement(name: string): HTMLElement {
  const element = document.createElement(name);
  admit(element);
  element.setAttribute = setAttribute;
  element.appendChild = appendChild;
  return element;
}

/** Scripts may set each style; only text that is parsed as one is refused. */
function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** The viewport takes the real document for its `<style>`, and puts it into an element of ours (xterm 6.0.0, `Viewport.ts`). */
function appendChild<Child extends Node>(this: HTMLElement, child: Child): Child {
  admit(child);
  Node.prototype.appendChild.call(this, child);
  return child;
}

function admit(node: Node): void {
  if (node instanceof HTMLStyleElement) node.nonce = pageNonce();
}

const pageNonce = (): string => document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
