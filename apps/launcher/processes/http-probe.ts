import { get } from "node:http";

const TIMEOUT_MS = 1000;

/** @returns the body of a 200, or undefined for any other response and after a timeout of one second */
export function fetchText(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // No agent: a kept-alive connection would delay the stop of the program.
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
