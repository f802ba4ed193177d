import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { createProbe, probeHealth } from "../../../apps/agent/probe.js";
import { findServicePort } from "../../support/system/service-port.js";
import { onCleanup } from "../../support/cleanup.js";
import { createTempDirectory } from "../../support/temp-directory.js";

async function startApp(onRequest: RequestListener): Promise<URL> {
  const server = createServer(onRequest).listen(0, "127.0.0.1");
  await once(server, "listening");
  onCleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function limits(timeoutMs = 5000) {
  return { timeoutMs, signal: new AbortController().signal };
}

describe("agent probe", () => {
  it("requests its URL and reads the version from the response", async () => {
    const url = await startApp((request, response) => {
      response.end(JSON.stringify({ version: `9 of ${request.url!}` }));
    });
    const probe = await probeHealth(new URL("/up?full=1", url), limits());
    expect(probe).to.include({
      ok: true,
      status: 200,
      version: "9 of /up?full=1",
    });
    expect(probe.ms).to.be.within(0.01, 5000);
  });

  it("opens a new connection each time", async () => {
    const ports = new Set<number | undefined>();
    const url = await startApp((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    await probeHealth(url, limits());
    await probeHealth(url, limits());
    expect(ports.size).to.equal(2);
  });

  it("measures the time to the response's head", async () => {
    const url = await startApp((_request, response) => {
      setTimeout(() => response.end(), 50);
    });
    // Timers may fire up to a millisecond early by this clock.
    expect((await probeHealth(url, limits())).ms).to.be.at.least(49);
  });

  it("has no version when the response is not JSON or has no end", async () => {
    const text = await startApp((_request, response) => response.end("ok"));
    expect(await probeHealth(text, limits())).to.include({
      ok: true,
      version: null,
    });
    const endless = await startApp((_request, response) => {
      response.write(`{"version":"${"9".repeat(100_000)}`);
    });
    expect(await probeHealth(endless, limits())).to.include({
      ok: true,
      version: null,
    });
  });

  for (const status of [302, 404, 503]) {
    it(`is not ok with status ${status}`, async () => {
      const url = await startApp((_request, response) => {
        response.writeHead(status).end();
      });
      const probe = await probeHealth(url, limits());
      expect(probe).to.include({ ok: false, status });
    });
  }

  const failed = { ok: false, status: null, version: null };

  it("is not ok when nothing listens", async () => {
    const url = new URL(`http://127.0.0.1:${await findServicePort()}`);
    expect(await probeHealth(url, limits())).to.include(failed);
  });

  it("is not ok when the response is late", async () => {
    const url = await startApp(() => undefined);
    const probe = await probeHealth(url, limits(50));
    expect(probe).to.include(failed);
    expect(probe.ms).to.be.at.least(49);
  });

  it("is not ok when the response is incomplete in time", async () => {
    const url = await startApp((_request, response) => {
      response.writeHead(200).write('{"version":');
    });
    expect(await probeHealth(url, limits(50))).to.include(failed);
  });

  it("ends when its signal aborts", async () => {
    const stop = new AbortController();
    const url = await startApp(() => stop.abort());
    const { signal } = stop;
    const probe = await probeHealth(url, { timeoutMs: 60_000, signal });
    expect(probe).to.include(failed);
  });

  it("only connects to an app without a health page", async () => {
    const appUrl = await startApp(() => expect.fail("a request"));
    const app = { healthPath: "none", releaseFile: undefined };
    const probe = createProbe({ ...app, appUrl });
    expect(await probe(limits())).to.include({ ok: true, status: null });
    const nobody = new URL(`http://127.0.0.1:${await findServicePort()}`);
    const failing = createProbe({ ...app, appUrl: nobody });
    expect(await failing(limits())).to.include(failed);
  });

  it("reads the release from its file, at each call", async () => {
    const appUrl = await startApp((_request, response) => {
      response.end('{"version":"of the page"}');
    });
    const releaseFile = join(createTempDirectory(), "release.json");
    const probe = createProbe({ appUrl, healthPath: "/", releaseFile });
    expect(await probe(limits())).to.include({ ok: true, version: null });
    writeFileSync(releaseFile, '{"release":"20261201-0123456789"}');
    const version = "20261201-0123456789";
    expect(await probe(limits())).to.include({ ok: true, version });
  });
});
