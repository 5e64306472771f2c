/** As much of a browser as preact and the panels need: elements, events, storage. To be imported first. */

type Listener = (event: { type: string; target: Node; currentTarget: Node; preventDefault(): void }) => void;

class Node {
  parentNode: Element | null = null;
  constructor(
    readonly nodeType: number,
    readonly ownerDocument: unknown = null,
  ) {}
  get nextSibling(): Node | null {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }
  remove(): void {
    this.parentNode?.removeChild(this);
  }
  get textContent(): string {
    return "";
  }
}

class Text extends Node {
  constructor(public data: string) {
    super(3);
  }
  override get textContent(): string {
    return this.data;
  }
}

export class Element extends Node {
  readonly childNodes: Node[] = [];
  readonly attributes = new Map<string, string>();
  readonly style: Record<string, string> = {};
  readonly #listeners = new Map<string, Listener>();
  readonly localName: string;
  readonly namespaceURI = "http://www.w3.org/1999/xhtml";
  value = "";
  clientHeight = 400;
  scrollTop = 0;

  constructor(name: string) {
    super(1);
    this.localName = name;
  }
  get firstChild(): Node | null {
    return this.childNodes[0] ?? null;
  }
  override get textContent(): string {
    return this.childNodes.map((child) => child.textContent).join("");
  }
  insertBefore(child: Node, before: Node | null): Node {
    child.remove();
    const at = before ? this.childNodes.indexOf(before) : -1;
    this.childNodes.splice(at < 0 ? this.childNodes.length : at, 0, child);
    child.parentNode = this;
    return child;
  }
  appendChild(child: Node): Node {
    return this.insertBefore(child, null);
  }
  contains(other: Node): boolean {
    return this === other || this.childNodes.some((child) => child instanceof Element && child.contains(other));
  }
  removeChild(child: Node): void {
    this.childNodes.splice(this.childNodes.indexOf(child), 1);
    child.parentNode = null;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, String(value));
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }
  removeEventListener(type: string): void {
    this.#listeners.delete(type);
  }
  querySelector(): null {
    return null;
  }
  /** Send an event to this element. */
  fire(type: string, more: object = {}): void {
    const event = { type, target: this, currentTarget: this, preventDefault: () => undefined, ...more };
    this.#listeners.get(type)?.call(this, event);
  }
  /** Return the elements below that a test lets through, in the order of the document. */
  all(test: (element: Element) => boolean): Element[] {
    const below = this.childNodes.filter((child) => child instanceof Element);
    return below.flatMap((child) => [...(test(child) ? [child] : []), ...child.all(test)]);
  }
  button(text: string): Element | undefined {
    return this.all((one) => one.localName === "button" && one.textContent.trim() === text)[0];
  }
}

class Storage {
  readonly #kept = new Map<string, string>();
  getItem(name: string): string | null {
    return this.#kept.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.#kept.set(name, value);
  }
  removeItem(name: string): void {
    this.#kept.delete(name);
  }
}

const stubs = {
  navigator: { language: "en" },
  localStorage: new Storage(),
  sessionStorage: new Storage(),
  matchMedia: () => ({ matches: false, addEventListener: () => undefined }),
  ResizeObserver: class {
    observe(): void {}
    disconnect(): void {}
  },
  requestAnimationFrame: (then: () => void) => setTimeout(then, 0),
  cancelAnimationFrame: clearTimeout,
  document: {
    createElement: (name: string) => new Element(name),
    createElementNS: (_: string, name: string) => new Element(name),
    createTextNode: (data: string) => new Text(data),
    documentElement: new Element("html"),
  },
};
for (const [name, value] of Object.entries(stubs)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
