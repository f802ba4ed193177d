/** A scrape of a program's `/metrics`. */
export interface Scrape {
  text: string;
  /** Values by `name{labels}`, as written. */
  samples: Map<string, number>;
  /** Without labels. */
  names: Set<string>;
}

/** @throws unless the response is a 200 in Prometheus's text format */
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
