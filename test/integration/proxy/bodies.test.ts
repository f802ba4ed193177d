import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { startBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send, sha256 } from "../../support/http/http-client.js";
import {
  residentBytes,
  spawnProxyProgram,
} from "../../support/programs/proxy-program.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { settledValue } from "../../support/wait-for-settled.js";
import { waitFor } from "../../support/wait-for.js";

const MEGABYTE = 1_000_000;
/** More than the kernel's and Node's buffers between two programs hold. */
const BOUND = 24 * MEGABYTE;
const STREAM = 200 * MEGABYTE;

function echo(request: IncomingMessage, response: ServerResponse): void {
  request.pipe(response);
}

/** Writes `bytes` bytes with back-pressure. @returns a function that gives the bytes accepted so far */
function pour(target: NodeJS.WritableStream, bytes: number): () => number {
  const chunk = Buffer.alloc(MEGABYTE / 4, "x");
  let poured = 0;
  const run = async () => {
    while (poured < bytes) {
      const flowing = target.write(chunk);
      poured += chunk.length;
      if (!flowing) await once(target, "drain");
    }
  };
  run().catch(() => undefined);
  return () => poured;
}

describeEngines("proxy bodies", () => {
  it("carries 10 MB up and down unchanged, with a Content-Length", async () => {
    const prod = await startBackend((request, response) => {
      response.setHeader("content-length", request.headers["content-length"]!);
      echo(request, response);
    });
    const proxy = await startTestProxy({ prod });
    const body = randomBytes(10 * MEGABYTE);
    const answer = await send(proxy.port, { body });
    expect(answer.headers["content-length"]).to.equal(String(body.length));
    expect(sha256(answer.body)).to.equal(sha256(body));
  });

  it("carries 10 MB up and down unchanged, in chunks", async () => {
    const prod = await startBackend(echo);
    const proxy = await startTestProxy({ prod });
    const body = randomBytes(10 * MEGABYTE);
    const pieces = Array.from({ length: 1000 }, (_, i) =>
      body.subarray(i * 10_000, (i + 1) * 10_000),
    );
    const answer = await send(proxy.port, { body: Readable.from(pieces) });
    expect(answer.headers["transfer-encoding"]).to.equal("chunked");
    expect(sha256(answer.body)).to.equal(sha256(body));
  });

  for (const framing of ["with a length", "in chunks"])
    it(`keeps the bodies of many connections apart, ${framing}`, async () => {
      const prod = await startBackend((request, response) => {
        const body = Buffer.alloc(MEGABYTE, request.url!.slice(1));
        if (framing === "with a length")
          response.setHeader("content-length", body.length);
        response.write(body.subarray(0, MEGABYTE / 3));
        setTimeout(() => response.end(body.subarray(MEGABYTE / 3)), 20);
      });
      const proxy = await startTestProxy({ prod });
      const letters = "abcdefghijklmnopqrst".split("");
      const answers = await Promise.all(
        letters.map((letter) => send(proxy.port, { path: `/${letter}` })),
      );
      for (const [i, { body }] of answers.entries())
        expect(sha256(body)).to.equal(
          sha256(Buffer.alloc(MEGABYTE, letters[i])),
        );
    });

  it("lets an upstream send no faster than the client reads", async () => {
    let poured = () => 0;
    const prod = await startBackend((_request, response) => {
      response.setHeader("content-length", STREAM);
      poured = pour(response, STREAM);
    });
    const proxy = await spawnProxyProgram({ PROD_URLS: prod.url.origin });
    const before = await residentBytes(proxy);
    const client = proxy.connect({ reading: false }).get("/");
    const sent = await settledValue("the upstream to be held up", () =>
      poured(),
    );
    expect(sent).to.be.below(BOUND);
    expect((await residentBytes(proxy)) - before).to.be.below(BOUND);

    client.discard();
    await waitFor("the whole body", () => client.bytes > STREAM, 25_000);
  }).timeout(60_000);

  it("lets a client send no faster than the upstream reads", async () => {
    let upload: IncomingMessage | undefined;
    const prod = await startBackend((request, response) => {
      upload = request;
      request.once("end", () => response.end("done"));
    });
    const proxy = await spawnProxyProgram({ PROD_URLS: prod.url.origin });
    const before = await residentBytes(proxy);
    const client = proxy.connect();
    client.send(
      "POST / HTTP/1.1",
      "Host: x",
      `Content-Length: ${STREAM}`,
      "",
      "",
    );
    const poured = pour(client.socket, STREAM);
    const sent = await settledValue("the client to be held up", poured);
    expect(sent).to.be.below(BOUND);
    expect((await residentBytes(proxy)) - before).to.be.below(BOUND);

    upload!.resume();
    expect(await client.response()).to.include({ status: 200, body: "done" });
  });
});
