import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect } from "chai";
import {
  HiddenListener,
  ListenerFinder,
} from "../../../lib/program/find-listener.js";
import { onCleanup } from "../../support/cleanup.js";
import { Subprocess } from "../../support/programs/subprocess.js";
import { findServicePort } from "../../support/system/service-port.js";
import { waitFor } from "../../support/wait-for.js";

async function listen(host: string, port = 0): Promise<number> {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  onCleanup(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A process that listens and has a child that holds the same socket. @returns its pid and port */
async function spawnPair(): Promise<{ pid: number; port: number }> {
  const script = `
    const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
      const stdio = ["pipe", "ignore", "ignore", server._handle];
      require("node:child_process").spawn("cat", { stdio });
      console.log(server.address().port);
    });`;
  const pair = new Subprocess([process.execPath, "-e", script], {
    name: "the pair",
    env: {},
  });
  onCleanup(() => pair.end());
  await once(pair.child.stdout!, "data");
  return { pid: pair.child.pid!, port: Number(pair.stdout) };
}

describe("the process that listens at a URL", () => {
  for (const [on, host] of [
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "localhost"],
    ["::1", "[::1]"],
  ] as const)
    it(`is found by ${host} when it listens on ${on}`, async () => {
      const url = new URL(`http://${host}:${await listen(on)}`);
      expect(await new ListenerFinder(url).find()).to.equal(process.pid);
    });

  it("is the one that started the others that share the socket", async () => {
    const { pid, port } = await spawnPair();
    const url = new URL(`http://127.0.0.1:${port}`);
    expect(await new ListenerFinder(url).find()).to.equal(pid);
  });

  it("is looked up again when another process takes the port", async () => {
    const first = await spawnPair();
    const finder = new ListenerFinder(
      new URL(`http://127.0.0.1:${first.port}`),
    );
    expect(await finder.find()).to.equal(first.pid);
    process.kill(first.pid, "SIGKILL");
    await waitFor(
      "the port to be free",
      async () => (await finder.find()) === null,
    );
    await listen("127.0.0.1", first.port);
    expect(await finder.find()).to.equal(process.pid);
  });

  it("is null when nothing listens", async () => {
    const url = new URL(`http://127.0.0.1:${await findServicePort()}`);
    expect(await new ListenerFinder(url).find()).to.equal(null);
  });

  it("is hidden on another host", async () => {
    const failure = await new ListenerFinder(new URL("http://192.0.2.1:80"))
      .find()
      .catch((err: unknown) => err);
    expect(failure).to.be.instanceOf(HiddenListener);
    expect(failure).to.have.property("message", "192.0.2.1 is on another host");
  });
});
