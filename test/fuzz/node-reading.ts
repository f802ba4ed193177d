import { request as httpRequest, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";

/** Parses a connection's bytes (latin1) with Node's client. @returns the first final response, if it is complete */
export async function readByNode(
  text: string,
  method: string,
): Promise<{ status: number; body: string } | undefined> {
  const replay = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  try {
    return await new Promise((resolve, reject) => {
      const request = httpRequest({ method, createConnection: () => replay });
      request.once("error", () => resolve(undefined));
      request.once("response", (response) => {
        readBody(response).then(resolve, reject);
      });
      request.end();
      replay.push(text, "latin1");
      replay.push(null);
    });
  } finally {
    replay.destroy();
  }
}

async function readBody(response: IncomingMessage) {
  const { statusCode = 0 } = response;
  let body = "";
  response.setEncoding("latin1");
  try {
    for await (const piece of response) body += String(piece);
  } catch {
    return undefined;
  }
  return { status: statusCode, body };
}
