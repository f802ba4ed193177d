import { expect } from "chai";
import type { ServerResponse } from "node:http";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import {
  startTestProxy,
  type TestProxy,
} from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

/** Far below every timeout of the proxy. */
const AT_ONCE_MS = 1000;

/** A backend that never finishes a response, and counts the requests that were aborted. */
async function startEndlessBackend(
  begin: (response: ServerResponse) => void = () => undefined,
) {
  let begun = 0;
  let givenUp = 0;
  const backend = await startBackend((_request, response) => {
    begun += 1;
    response.once("close", () => (givenUp += 1));
    begin(response);
  });
  const untilBegun = (count: number) =>
    waitFor(`${count} requests at the upstream`, () => begun === count);
  const untilGivenUp = (count: number) =>
    waitFor(
      `${count} requests given up at the upstream`,
      () => givenUp === count,
      AT_ONCE_MS,
    );
  return { ...backend, untilBegun, untilGivenUp };
}

/** Waits until the proxy has closed all client connections. */
async function untilAllClosed({ service }: TestProxy): Promise<void> {
  await waitFor("no client connected", async () => {
    const connections = await new Promise<number>((resolve) =>
      service.server.getConnections((_err, count) => resolve(count)),
    );
    return connections === 0;
  });
}

describeEngines("proxy client abort", () => {
  it("ends the upstream request at once before its response has begun", async () => {
    const prod = await startEndlessBackend();
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    await prod.untilBegun(1);
    client.socket.destroy();
    await prod.untilGivenUp(1);
    expect(proxy.counts().prod.status).to.deep.equal({ 499: 1 });
  });

  it("ends the upstream request at once in mid-body", async () => {
    const prod = await startEndlessBackend((response) => response.write("a"));
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    await client.sees("a");
    client.socket.destroy();
    await prod.untilGivenUp(1);
    expect(proxy.counts().prod.status).to.deep.equal({ 200: 1 });
  });

  it("ends the upstream request at once in mid-upload", async () => {
    const prod = await startEndlessBackend(({ req }) => req.resume());
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("POST / HTTP/1.1", "Host: x", "Content-Length: 9", "", "part");
    await prod.untilBegun(1);
    client.socket.destroy();
    await prod.untilGivenUp(1);
    expect(proxy.counts().prod.status).to.deep.equal({ 499: 1 });
  });

  it("ends all requests that wait on the connection, and counts none as an error", async () => {
    const prod = await startEndlessBackend();
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/first").get("/second").get("/third");
    await prod.untilBegun(3);
    client.socket.destroy();
    await prod.untilGivenUp(3);
    await untilAllClosed(proxy);
    expect(proxy.counts().prod).to.deep.include({
      errors: 0,
      status: { 499: 3 },
      waiting: [],
    });
  });

  it("is no failure of the canary, so prod gets no request", async () => {
    const [prod, canary] = [
      await startNamedBackend("prod"),
      await startEndlessBackend(),
    ];
    let side: Side = "canary";
    const proxy = await startTestProxy({ prod, canary, side: () => side });
    const client = proxy.connect().get("/first").get("/second");
    await canary.untilBegun(2);
    client.socket.resetAndDestroy();
    await canary.untilGivenUp(2);
    side = "prod";
    await send(proxy.port, { path: "/later" });
    expect(prod.seen).to.deep.equal(["/later"]);
  });

  it("does no harm when the client resets its connection right after its request", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({
      prod,
      isTrusted: (address) => {
        expect(address).to.equal("127.0.0.1");
        return false;
      },
    });
    const clients = Array.from({ length: 200 }, () => proxy.connect());
    for (const client of clients) {
      client.socket.once("connect", () => {
        client.get("/");
        client.socket.resetAndDestroy();
      });
    }
    await Promise.all(clients.map((client) => client.closed()));
    expect((await send(proxy.port)).status).to.equal(200);
  });
});
