import { expect } from "chai";
import type { Socket } from "node:net";
import {
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import type { RawClient } from "../../support/http/raw-client.js";
import { readResponse } from "../../support/http/raw-response.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

const WITH_LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
const IN_CHUNKS =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";

/** A canary that cuts its response short once the client has the first half, and a healthy prod. */
async function startCutting(head: string, cut: (socket: Socket) => unknown) {
  let finish = () => undefined as unknown;
  const canary = await startRawBackend(({ socket }) => {
    socket.write(head);
    finish = () => cut(socket);
  });
  const prod = await startNamedBackend("prod");
  const outcomes: [Side, number][] = [];
  const failed: string[] = [];
  const proxy = await startTestProxy({
    ...{ prod, canary, side: "canary" },
    onOutcome: (side, status) => outcomes.push([side, status]),
    onFailedAttempt: ({ side }, { kind }) => failed.push(`${side} ${kind}`),
  });
  const receiveHalf = async (client: RawClient) => {
    await client.sees("half");
    finish();
    return await client.closed();
  };
  return { prod, canary, proxy, receiveHalf, outcomes, failed };
}

describeEngines("proxy upstream that dies in mid-body", () => {
  it("cuts a pipelined client off before its turn on the connection", async () => {
    const slow = await startRawBackend(({ socket, index }) => {
      if (index === 0) return;
      socket.write(WITH_LENGTH);
      socket.end();
    });
    const proxy = await startTestProxy({ prod: slow, responseMs: 500 });
    const client = proxy.connect().get("/waits").get("/cut");
    expect(await client.response()).to.include({ status: 504 });
    await client.closed();
    expect(readResponse(client.unread, { ended: true })).to.equal(undefined);
  });

  for (const head of [WITH_LENGTH, IN_CHUNKS])
    it("counts the response by its relayed status, and reports status and cut to the breaker", async () => {
      const { proxy, prod, receiveHalf, outcomes, failed } = await startCutting(
        head,
        (socket) => socket.destroy(),
      );
      await receiveHalf(proxy.connect().get("/"));
      expect(proxy.counts().canary.status).to.deep.equal({ 200: 1 });
      expect(outcomes).to.deep.equal([
        ["canary", 200],
        ["canary", 502],
      ]);
      expect(failed).to.deep.equal(["canary bad-response"]);
      expect(prod.seen).to.deep.equal([]);
    });

  it("does not blame the upstream when the client leaves", async () => {
    const canary = await startRawBackend(({ socket }) =>
      socket.write(WITH_LENGTH),
    );
    const outcomes: [Side, number][] = [];
    const proxy = await startTestProxy({
      ...{ prod: canary, canary, side: "canary" },
      onOutcome: (side, status) => outcomes.push([side, status]),
    });
    const client = proxy.connect().get("/");
    await client.sees("half");
    client.socket.resetAndDestroy();
    await waitFor("the upstream's end", () => canary.sockets.size === 0);
    expect(outcomes).to.deep.equal([["canary", 200]]);
  });
});
