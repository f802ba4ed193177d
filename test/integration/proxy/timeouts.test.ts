import { expect } from "chai";
import {
  startBackend,
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import { runningTime } from "../../support/running-time.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { startUnacceptingListener } from "../../support/http/unaccepting-listener.js";
import { waitFor } from "../../support/wait-for.js";

/** A backend that never answers. */
function startSilent() {
  return startBackend(() => undefined);
}

describeEngines("proxy timeouts", () => {
  it("answers 504 when prod does not answer in time, and ends the upstream request", async () => {
    const prod = await startSilent();
    const proxy = await startTestProxy({ prod, responseMs: 150 });
    const answer = await send(proxy.port);
    expect(answer).to.include({ status: 504, servedBy: "prod" });
    await waitFor("the upstream request to end", () => prod.sockets.size === 0);
    expect(proxy.counts().prod).to.deep.include({
      errors: 1,
      status: { 504: 1 },
    });
  });

  it("lets prod answer a GET when the canary does not answer in time", async () => {
    const [prod, canary] = [
      await startNamedBackend("prod"),
      await startSilent(),
    ];
    const proxy = await startTestProxy({
      ...{ prod, canary, side: "canary" as const },
      responseMs: 150,
    });
    expect(await send(proxy.port)).to.include({
      status: 200,
      servedBy: "prod",
    });
    const { canary: counts } = proxy.counts();
    expect(counts.status).to.deep.equal({ 504: 1 });
    expect(counts.arms).to.deep.include({ retried: 1 });
  });

  it("answers 504 to a POST that the canary does not answer in time", async () => {
    const [prod, canary] = [
      await startNamedBackend("prod"),
      await startSilent(),
    ];
    const proxy = await startTestProxy({
      ...{ prod, canary, side: "canary" as const },
      responseMs: 150,
    });
    const answer = await send(proxy.port, { body: Buffer.from("order") });
    expect(answer).to.include({ status: 504, servedBy: "canary" });
    expect(prod.seen).to.deep.equal([]);
  });

  it("answers 504 when prod's host does not accept the connection in time", async () => {
    const prod = await startUnacceptingListener();
    const proxy = await startTestProxy({ prod, connectMs: 150 });
    const answer = await send(proxy.port, { body: Buffer.from("order") });
    expect(answer).to.include({ status: 504, servedBy: "prod" });
    // The request was whole: its client has waited for the connection.
    const [[bucket] = [0]] = proxy.counts().prod.latency;
    expect(bucket).to.be.at.least(bucketOf(140));
  });

  it("avoids a prod host that did not accept a connection in time", async () => {
    const [down, up] = [
      await startUnacceptingListener(),
      await startNamedBackend("up"),
    ];
    const proxy = await startTestProxy({ prod: [down, up], connectMs: 400 });
    const startedAt = performance.now();
    const began = runningTime();
    for (let i = 0; i < 5; i++)
      expect((await send(proxy.port)).status).to.equal(200);
    // Only the first request waited for that host.
    expect(performance.now() - startedAt).to.be.at.least(400);
    expect(runningTime() - began).to.be.below(1200);
  });

  it("sends a POST to prod when the canary's host does not accept the connection", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startUnacceptingListener();
    const proxy = await startTestProxy({
      ...{ prod, canary, side: "canary" as const },
      connectMs: 150,
    });
    const answer = await send(proxy.port, { body: Buffer.from("order") });
    expect(answer).to.include({ status: 200, servedBy: "prod" });
    expect(proxy.counts().canary.status).to.deep.equal({ 504: 1 });
  });

  it("lets a moving upload take longer than the response timeout", async () => {
    const prod = await startBackend((request, response) => {
      request.resume().once("end", () => response.end("done"));
    });
    const proxy = await startTestProxy({ prod, responseMs: 200 });
    const client = proxy.connect();
    client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 10", "", "");
    let sent = 0;
    const timer = setInterval(() => {
      client.send("x");
      if (++sent === 10) clearInterval(timer);
    }, 50);
    expect(await client.response()).to.include({ status: 200 });
  });

  it("does not time out an upstream while the client's upload pauses", async () => {
    const prod = await startBackend((request, response) => {
      request.resume().once("end", () => response.end("done"));
    });
    const proxy = await startTestProxy({ prod, responseMs: 150 });
    const client = proxy.connect();
    client.send(
      "POST / HTTP/1.1",
      "Host: x",
      "Content-Length: 10",
      "",
      "half,",
    );
    setTimeout(() => client.send("whole"), 800);
    expect(await client.response()).to.include({ status: 200 });
    expect(proxy.counts().prod.status).to.deep.equal({ 200: 1 });
  });

  it("answers 504 when the upstream stops reading an upload", async () => {
    const prod = await startRawBackend(({ socket }) => void socket.pause());
    const proxy = await startTestProxy({ prod, responseMs: 400 });
    const client = proxy.connect();
    const size = 50_000_000;
    client.send(
      "POST / HTTP/1.1",
      "Host: x",
      `Content-Length: ${size}`,
      "",
      "",
    );
    client.socket.write(Buffer.alloc(size));
    expect(await client.response()).to.include({ status: 504 });
  });

  it("lets a response body pause for longer than the response timeout", async () => {
    const prod = await startBackend((_request, response) => {
      response.write("first ");
      setTimeout(() => response.end("second"), 400);
    });
    const proxy = await startTestProxy({ prod, responseMs: 150 });
    const answer = await send(proxy.port);
    expect(answer.body.toString()).to.equal("first second");
  });
});
