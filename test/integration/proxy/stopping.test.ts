import { expect } from "chai";
import { startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import {
  spawnProxyProgram,
  startProxyProgram,
} from "../../support/programs/proxy-program.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

const COOKIES =
  "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok";

describeEngines("proxy that is stopping", () => {
  it("sends Connection: close with a response in flight, and keeps its repeated headers", async () => {
    const prod = await startRawBackend(() => undefined);
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    const upstream = await prod.sees("\r\n\r\n");
    const stopped = proxy.service.close(5000);
    upstream.socket.write(COOKIES);
    const answer = await client.response();
    expect(answer).to.include({ status: 200, body: "ok" });
    expect(answer.all("set-cookie")).to.deep.equal(["a=1", "b=2"]);
    expect(answer.all("connection")).to.deep.equal(["close"]);
    await stopped;
  });

  it("answers a request that was in transit when the stop began", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(COOKIES));
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 200 });
    const stopped = proxy.service.close(5000);
    const late = await client.get("/late").response();
    expect(late).to.include({ status: 200 });
    expect(late.all("connection")).to.deep.equal(["close"]);
    await stopped;
  });

  it("answers a request that arrived while the process paused, before it closes idle connections", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(COOKIES));
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 200 });
    const stopped = proxy.service.close(5000, 100);
    // The event loop runs timers after these, and only then polls for input.
    await new Promise(setImmediate);
    client.get("/late");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    expect(await client.response()).to.include({ status: 200 });
    await stopped;
  });

  it("closes idle connections only when the drain is nearly over", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(COOKIES));
    const proxy = await startProxyProgram({
      PROD_URLS: prod.url.href,
      DRAIN_MS: "1000",
    });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 200 });
    const stoppedAt = performance.now();
    await Promise.all([proxy.stop(), client.closed()]);
    expect(performance.now() - stoppedAt).to.be.within(450, 950);
  });
});

describe("proxy with one worker", () => {
  it("keeps running at SIGHUP and logs that it has no workers to replace", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(COOKIES));
    const proxy = await spawnProxyProgram({ PROD_URLS: prod.url.href });
    proxy.child.kill("SIGHUP");
    await waitFor("the log entry", () =>
      proxy.log.some(({ msg }) => msg.startsWith("nothing to reload")),
    );
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 200 });
  });
});
