import { once } from "node:events";
import { createServer } from "node:http";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
} from "node:net";
import { expect } from "chai";
import { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { CORES } from "../../../bench/compare/cores.js";
import { OpenLoop } from "../../../bench/compare/open-loop.js";
import {
  measureStall,
  stalledQuantileMs,
} from "../../../bench/compare/stall.js";
import { onCleanup } from "../../support/cleanup.js";
import { PLAIN_PROXY } from "../../support/products/others.js";
import { RunningProduct } from "../../support/products/product.js";
import { findServicePort } from "../../support/system/service-port.js";
import { createTempDirectory } from "../../support/temp-directory.js";

describe("The benchmark's open loop", () => {
  it("sees a proxy that stands still, where a generator that waits for answers is blind", async () => {
    // So slow that a busy machine keeps up.
    const stall = { requestsPerSecond: 100, seconds: 4, stallSeconds: 1 };
    const proxy = await startProxy();
    const signalledAt = noteSignals(proxy.running);
    const { answers, failures, latency, fromSending } = await measureStall(
      { node: process.execPath, cpu: CORES.load, reaper: proxy.reaper },
      proxy.running,
      { ...stall, path: "/" },
    );

    expect(failures).to.deep.equal([]);
    expect(answers).to.be.closeTo(400, 1);
    const stallMs = signalledAt.get("SIGCONT")! - signalledAt.get("SIGSTOP")!;
    const stalled = { ...stall, stallSeconds: stallMs / 1000 };
    for (const [seenUs, quantile] of [
      [latency.p90Us, 0.9],
      [latency.p99Us, 0.99],
    ] as const) {
      const leastMs = stalledQuantileMs(quantile, stalled);
      expect(seenUs / 1000).to.be.within(leastMs * 0.95, leastMs + 1500);
    }
    expect(fromSending.p90Us).to.be.below(latency.p90Us / 4);
  });

  it("tells of answers other than 200, and of those that never come", async () => {
    let asked = 0;
    const port = await listen(
      createServer((_request, response) => {
        asked += 1;
        if (asked % 2 === 0) response.writeHead(502).end("no");
        else response.end("ok");
      }),
    );
    const options = {
      path: "/",
      requestsPerSecond: 100,
      law: "fixed",
    } as const;
    const answered = await new OpenLoop({
      ...options,
      ...{ port, seconds: 0.205, connections: 4 },
    }).run();
    expect(answered.answers).to.equal(10);
    expect(answered.failures).to.deep.equal(Array(10).fill("status 502"));

    const deaf = await listen(
      createTcpServer((socket) => {
        socket.on("error", () => undefined);
        socket.resume();
      }),
    );
    const lost = await new OpenLoop({
      ...options,
      ...{ port: deaf, seconds: 0.035, connections: 2, patienceMs: 100 },
    }).run();
    expect(lost.answers).to.equal(0);
    expect(lost.failures).to.deep.equal(Array(3).fill("no answer"));
  });
});

async function startProxy() {
  const upstreamPort = await listen(
    createServer((_request, response) => void response.end("ok")),
  );
  const reaper = new Reaper();
  onCleanup(() => reaper.close());
  const running = await RunningProduct.start(
    PLAIN_PROXY,
    {
      port: await findServicePort(),
      upstreamPort,
      directory: createTempDirectory(),
      redisUrl: "",
      node: process.execPath,
    },
    { reaper },
  );
  onCleanup(() => running.close());
  return { running, reaper };
}

/** When each signal is sent: on a busy machine, a timer that sends one may be late. */
function noteSignals(running: RunningProduct): Map<NodeJS.Signals, number> {
  const signalledAt = new Map<NodeJS.Signals, number>();
  const signal = running.signal.bind(running);
  running.signal = (name) => {
    signal(name);
    signalledAt.set(name, performance.now());
  };
  return signalledAt;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onCleanup(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}
