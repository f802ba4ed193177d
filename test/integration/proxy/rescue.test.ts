import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  startBackend,
  startNamedBackend,
  startRawBackend,
  type RawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send, sha256 } from "../../support/http/http-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

/** A canary that takes the request and resets the connection instead of answering. */
function startResetting(): Promise<RawBackend> {
  return startRawBackend(({ socket }) => socket.resetAndDestroy());
}

/** A port on which nothing listens. */
async function findRefusing() {
  const backend = await startRawBackend(() => undefined);
  await backend.stop();
  return backend;
}

/** A prod that answers with the hash of the request's body. */
function startHashing() {
  return startBackend((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => response.end(sha256(Buffer.concat(chunks))));
  });
}

describeEngines("proxy rescue of what the canary fails", () => {
  for (const [how, answer] of [
    ["resets it", ""],
    ["answers with garbage", "GARBAGE\r\n\r\n"],
    ["closes before the head is complete", "HTTP/1.1 200 OK\r\nX-A: 1\r\n"],
  ] as const) {
    it(`lets prod answer a GET when the canary ${how}, and counts it as the canary's error`, async () => {
      const prod = await startNamedBackend("prod");
      const canary = await startRawBackend(({ socket }) =>
        answer === "" ? socket.resetAndDestroy() : socket.end(answer),
      );
      const proxy = await startTestProxy({ prod, canary, side: "canary" });

      const rescued = await send(proxy.port, { path: "/a?b=1" });
      expect(rescued).to.include({ status: 200, servedBy: "prod" });
      expect(prod.seen).to.deep.equal(["/a?b=1"]);
      expect(canary.accepted()).to.equal(1);
      const counts = proxy.counts();
      expect(counts.canary).to.deep.include({
        requests: 1,
        errors: 1,
        status: { 502: 1 },
        arms: { chosen: 1, retried: 1, rescued: 0 },
      });
      expect(counts.prod).to.deep.include({
        requests: 0,
        arms: { chosen: 0, retried: 0, rescued: 1 },
      });
    });
  }

  for (const method of ["HEAD", "OPTIONS"]) {
    it(`lets prod answer a ${method} that the canary resets`, async () => {
      const prod = await startNamedBackend("prod");
      const canary = await startResetting();
      const proxy = await startTestProxy({ prod, canary, side: "canary" });
      const answer = await send(proxy.port, { method });
      expect(answer).to.include({ status: 200, servedBy: "prod" });
    });
  }

  for (const method of ["POST", "PUT", "PATCH", "DELETE", "GET"]) {
    it(`answers 502 to a ${method} with a body that the canary resets, and does not repeat it`, async () => {
      const prod = await startNamedBackend("prod");
      const canary = await startResetting();
      const proxy = await startTestProxy({ prod, canary, side: "canary" });
      const body = Buffer.from("order");
      const answer = await send(proxy.port, {
        method,
        body,
        headers: { "content-length": body.length },
      });
      expect(answer).to.include({ status: 502, servedBy: "canary" });
      expect(prod.seen).to.deep.equal([]);
      expect(proxy.counts().canary).to.deep.include({
        errors: 1,
        status: { 502: 1 },
        arms: { chosen: 1, retried: 0, rescued: 0 },
      });
    });
  }

  for (const isCanaryOpen of [true, false])
    it(`tries ${isCanaryOpen ? "another URL of the canary" : "prod, and no further URL of a canary that was stopped,"} when one refuses`, async () => {
      const prod = await startNamedBackend("prod");
      const canary = await startNamedBackend("canary");
      const proxy = await startTestProxy({
        ...{ prod, canary: [await findRefusing(), canary] },
        ...{ side: "canary", isCanaryOpen },
      });
      const { status, servedBy } = await send(proxy.port);
      const expected = isCanaryOpen ? "canary" : "prod";
      expect([status, servedBy]).to.deep.equal([200, expected]);
      expect(canary.seen).to.have.length(isCanaryOpen ? 1 : 0);
      expect(proxy.counts().canary.errors).to.equal(isCanaryOpen ? 0 : 1);
    });

  it("answers 502 to a POST without a body that the canary resets", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startResetting();
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    const answer = await send(proxy.port, { method: "POST" });
    expect(answer.status).to.equal(502);
    expect(prod.seen).to.deep.equal([]);
  });

  for (const framing of ["a Content-Length", "chunks"]) {
    it(`sends a whole POST with ${framing} to prod when the canary refuses the connection`, async () => {
      const prod = await startHashing();
      const canary = await findRefusing();
      const proxy = await startTestProxy({ prod, canary, side: "canary" });
      const content = randomBytes(5_000_000);
      const body =
        framing === "chunks" ? Readable.from([content, "end"]) : content;
      const whole =
        framing === "chunks"
          ? Buffer.concat([content, Buffer.from("end")])
          : content;
      const answer = await send(proxy.port, { body });
      expect(answer).to.include({ status: 200, servedBy: "prod" });
      expect(answer.body.toString()).to.equal(sha256(whole));
      expect(proxy.counts().canary).to.deep.include({
        errors: 1,
        status: { 503: 1 },
      });
    });
  }

  it("relays the canary's own 500", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startBackend((_request, response) => {
      response.writeHead(500).end("broken");
    });
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    const answer = await send(proxy.port);
    expect(answer).to.include({ status: 500, servedBy: "canary" });
    expect(prod.seen).to.deep.equal([]);
  });

  it("answers 502 once when prod fails after the canary", async () => {
    const [prod, canary] = [await startResetting(), await startResetting()];
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    const answer = await send(proxy.port);
    expect(answer).to.include({ status: 502, servedBy: "prod" });
    expect([prod.accepted(), canary.accepted()]).to.deep.equal([1, 1]);
    expect(proxy.counts().canary.status).to.deep.equal({ 502: 1 });
  });
});

describeEngines("proxy failing prod", () => {
  it("answers 503 with Retry-After when prod refuses, and spares the canary", async () => {
    const prod = await findRefusing();
    const canary = await startNamedBackend("canary");
    const proxy = await startTestProxy({ prod, canary });
    const headers = { "x-request-id": "order-7" };
    const answer = await send(proxy.port, { headers });
    expect(answer).to.include({ status: 503, servedBy: "prod" });
    expect(answer.headers).to.include({ "retry-after": "1" });
    expect(JSON.parse(answer.body.toString())).to.deep.equal({
      error: "the upstream cannot be reached",
      requestId: "order-7",
    });
    expect(canary.seen).to.deep.equal([]);
  });

  it("answers 502 and says why when prod's response is no HTTP", async () => {
    const prod = await startRawBackend(({ socket }) =>
      socket.write("GARBAGE\r\n\r\n"),
    );
    const proxy = await startTestProxy({ prod });
    const answer = await send(proxy.port);
    expect(answer.status).to.equal(502);
    expect(JSON.parse(answer.body.toString())).to.include({
      error: "the upstream gave no valid response",
    });
  });

  it("answers 502 when prod resets", async () => {
    const prod = await startResetting();
    const proxy = await startTestProxy({ prod });
    const answer = await send(proxy.port);
    expect(answer).to.include({ status: 502, servedBy: "prod" });
    expect(prod.accepted()).to.equal(1);
  });

  it("answers 503 when all of several prod URLs refuse", async () => {
    const prod = [await findRefusing(), await findRefusing()];
    const proxy = await startTestProxy({ prod });
    for (let i = 0; i < 3; i++)
      expect((await send(proxy.port)).status).to.equal(503);
    expect(proxy.counts().prod.status).to.deep.equal({ 503: 3 });
  });

  it("sends a POST to another prod URL when one refuses", async () => {
    const [down, up] = [await findRefusing(), await startHashing()];
    const proxy = await startTestProxy({ prod: [down, up] });
    for (const text of ["one", "two", "three"]) {
      const body = Buffer.from(text);
      const answer = await send(proxy.port, { body });
      expect(answer.status).to.equal(200);
      expect(answer.body.toString()).to.equal(sha256(body));
    }
    expect(proxy.counts().prod).to.deep.include({
      errors: 0,
      status: { 200: 3 },
    });
  });
});
