import { toPlainLines } from "../../../lib/wording/plain-text.js";

type Child = Node | string;

/** Creates an element with attributes by their HTML names, such as `class`. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children);
}

export function svgElement(
  tag: "svg" | "line",
  attributes: Readonly<Record<string, string>>,
  ...children: Node[]
): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(made, attributes, children);
}

function fill<Made extends Element>(
  made: Made,
  attributes: Readonly<Record<string, string>>,
  children: Child[],
): Made {
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, toPlainLines(value));
  for (const child of children)
    made.append(typeof child === "string" ? toPlainLines(child) : child);
  return made;
}

/** Finds an element of index.html. @throws if it is missing or of another kind */
export function byId(id: string): HTMLElement;
export function byId<T extends Element>(id: string, kind: new () => T): T;
export function byId(id: string, kind = HTMLElement): HTMLElement {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

/** Writes only changes, to keep selections and avoid layout. */
export function setText(
  target: Element,
  text: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const plain = toPlainLines(text);
  if (target.textContent !== plain) target.textContent = plain;
  for (const [name, value] of Object.entries(attributes)) {
    const wanted = toPlainLines(value);
    if (target.getAttribute(name) !== wanted) target.setAttribute(name, wanted);
  }
}
