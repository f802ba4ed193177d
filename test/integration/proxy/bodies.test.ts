import { expect } from "chai";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";
import { startBackend, startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send, sha256 } from "../../support/http/http-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

const MEGABYTE = 1_000_000;
function echo(request: IncomingMessage, response: ServerResponse): void {
  request.pipe(response);
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

  it("records no time in which a client was sending its body", async () => {
    const prod = await startRawBackend(({ socket, received }) => {
      if (received.endsWith("order"))
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    const head = ["POST / HTTP/1.1", "Host: x", "Content-Length: 5", "", ""];
    const startedAt = performance.now();
    client.send(...head.slice(0, -1), "or");
    await prod.sees("or");
    await waitFor(
      "a tenth of a second",
      () => performance.now() - startedAt > 100,
    );
    expect(proxy.counts().prod.waiting).to.deep.equal([]);
    client.send("der");
    expect(await client.response()).to.include({ status: 200 });
    const [[bucket] = [Infinity]] = proxy.counts().prod.latency;
    expect(bucket).to.be.below(bucketOf(100));
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
});
