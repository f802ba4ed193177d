/** A scrape of a program's `/metrics`. */
export interface Scrape {
  text: string;
  /** Value by `name{labels}`, as written. */
  samples: Map<string, number>;
  /** Without labels. */
  names: Set<string>;
}

/** @throws when it is not answered by 200 and Prometheus's text format */
export async function scrape(origin: string): Promise<Scrape> {
  const response = await fetch(`${origin}/metrics`);
  const text = await response.text();
  const type = response.headers.get("content-type");
  if (response.status !== 200 || type?.includes("version=0.0.4") !== true)
    throw new Error(`${response.status} ${type ?? ""}: ${text}`);
  const lines = text.split("\n").filter((line) => /^[^#\s]/.test(line));
  const samples = new Map(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
  const names = new Set(
    [...samples.keys()].map((key) => key.split("{", 1).join("")),
  );
  return { text, samples, names };
}
