import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Canary } from "../../../apps/launcher/steering/canary.js";
import { readConfig } from "../../../apps/launcher/config.js";
import { findPorts } from "../../../apps/launcher/ports.js";
import { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { describeService } from "../../../apps/launcher/processes/service.js";
import { Supervisor } from "../../../apps/launcher/processes/supervisor.js";
import { openWorkspace } from "../../../apps/launcher/processes/workspace.js";
import { onCleanup } from "../../support/cleanup.js";
import { createServiceFile } from "../../support/programs/service-file.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import { waitFor } from "../../support/wait-for.js";

const SCRIPT = `require("node:http").createServer((request, response) => response.end("well")).listen(process.env.PORT, process.env.HOST)`;
const SERVICE = `
service: shop
run: exec node -e '${SCRIPT}'
`;
const NEVER_ABORTED = new AbortController().signal;

/** A running canary, and what a request to its port gets. */
async function startCanary() {
  const service = createServiceFile(SERVICE);
  const free = { CANARY_PORT: "0", PROD_PORT: "0", PROXY_PORT: "0" };
  const agents = { PROD_AGENT_PORT: "0", CANARY_AGENT_PORT: "0" };
  const others = { ADMIN_PORT: "0", MONITOR_PORT: "0" };
  const env = { PATH: process.env.PATH, ...free, ...agents, ...others };
  const config = readConfig(env, service);
  const ports = await findPorts(config.ports);
  const directory = join(createTempDirectory(), "run");
  mkdirSync(directory);
  const workspace = openWorkspace(directory);
  const layout = { config, service, ports, workspace, programsDirectory: "" };
  const source = { service, release: "1", label: "the working tree" };
  const reaper = new Reaper();
  const spec = describeService("canary", source, layout);
  const supervisor = new Supervisor(spec, reaper, () => undefined);
  const signal = NEVER_ABORTED;
  const canary = new Canary({ source, supervisor, layout, signal });
  onCleanup(async () => {
    await canary.close();
    await supervisor.stop(0);
    await reaper.close();
  });
  await supervisor.start(NEVER_ABORTED);
  const url = `http://127.0.0.1:${ports.canaryApp}/`;
  const ask = async (timeoutMs = 5000) => {
    const sentAt = performance.now();
    const response = await fetch(url, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return { status: response.status, text, ms: performance.now() - sentAt };
  };
  const fails = (timeoutMs?: number) =>
    ask(timeoutMs).then(
      () => false,
      () => true,
    );
  return { canary, ask, fails };
}

describe("faults of the canary", function () {
  this.timeout(120_000);

  it("make it slow and failing, and end", async () => {
    const { canary, ask } = await startCanary();
    expect(await ask()).to.include({ status: 200, text: "well" });
    await canary.inject("slow");
    const slow = await ask();
    expect(slow).to.include({ status: 200, text: "well" });
    expect(slow.ms).to.be.above(290);
    await canary.inject("errors");
    expect(await ask()).to.include({ status: 500 });
    await canary.resume();
    const again = await ask();
    expect(again).to.include({ status: 200, text: "well" });
    expect(again.ms).to.be.below(290);
  });

  it("keep it down after a crash, until it is resumed", async () => {
    const { canary, ask, fails } = await startCanary();
    await canary.inject("crash");
    await waitFor("the port to be free", () => fails());
    await canary.resume();
    // Whoever lets it in again may do so now.
    expect(await ask()).to.include({ status: 200 });
  });

  it("refuse requests after a crash that follows another fault", async () => {
    const { canary, ask, fails } = await startCanary();
    await canary.inject("slow");
    await ask();
    await canary.inject("crash");
    await waitFor("its end", () => fails(500));
    const sentAt = performance.now();
    expect(await fails()).to.equal(true);
    expect(performance.now() - sentAt).to.be.below(2000);
    await canary.resume();
    await waitFor("its return", async () => !(await fails()));
    expect((await ask()).ms).to.be.below(290);
  });

  it("suspend it, until it is resumed", async () => {
    const { canary, ask, fails } = await startCanary();
    await canary.inject("hang");
    expect(await fails(300)).to.equal(true);
    await canary.resume();
    expect(await ask()).to.include({ status: 200 });
  });
});
