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

/** The style sheet's colours, for what is drawn on a canvas; they change with the scheme. */
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
