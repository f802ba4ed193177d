const COLOURS = [
  "prod",
  "canary",
  "good",
  "stopped",
  "deploy",
  "ink-soft",
  "grid",
] as const;
export type Colour = (typeof COLOURS)[number];

/** The colours of the style sheet, for the canvas. They change with the colour scheme. */
export class Palette {
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  #colours = readColours();

  onChange(listener: () => void): void {
    this.#scheme.addEventListener("change", () => {
      this.#colours = readColours();
      listener();
    });
  }

  get(colour: Colour): string {
    return this.#colours[colour];
  }
}

function readColours(): Record<Colour, string> {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    COLOURS.map((colour) => [
      colour,
      style.getPropertyValue(`--${colour}`).trim(),
    ]),
  ) as Record<Colour, string>;
}
