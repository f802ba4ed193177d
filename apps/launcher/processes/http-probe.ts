import { get } from "node:http";

const TIMEOUT_MS = 1000;

/** The body of a 200 answer; undefined for anything else, and for no answer within a second. */
export function fetchText(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Without an agent no connection stays open, which a stopping program would have to wait for.
    const request = get(url, { agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => resolve(undefined));
      response.on("end", () =>
        resolve(
          response.statusCode === 200
            ? Buffer.concat(chunks).toString()
            : undefined,
        ),
      );
    });
    const timer = setTimeout(() => request.destroy(), TIMEOUT_MS);
    request.on("error", () => resolve(undefined));
    request.on("close", () => clearTimeout(timer));
  });
}

export async function answersOk(url: string): Promise<boolean> {
  return (await fetchText(url)) !== undefined;
}
