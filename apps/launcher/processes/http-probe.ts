const TIMEOUT_MS = 1000;

/** @returns the body of a 200, or undefined for any other response and after a timeout of one second */
export async function fetchText(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      // A kept-alive connection would delay the stop of the program.
      headers: { connection: "close" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return response.status === 200 ? text : undefined;
  } catch {
    return undefined; // It does not listen yet, or no longer.
  }
}
