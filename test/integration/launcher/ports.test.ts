import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect } from "chai";
import type { PortWish } from "../../../apps/launcher/config.js";
import { findPorts } from "../../../apps/launcher/ports.js";
import { onCleanup } from "../../support/cleanup.js";

const HOST = "127.0.0.1";
/** Of Linux. */
const LOWEST_EPHEMERAL_PORT = 32_768;

function wish(variable: string, port: number, host = HOST): PortWish {
  return { user: `the user of ${variable}`, variable, host, port };
}

async function takePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  onCleanup(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "no error",
    (err: unknown) => (err as Error).message,
  );
}

describe("port search", () => {
  it("finds a distinct free port for each 0 and releases it", async () => {
    const wishes = { a: wish("A", 0), b: wish("B", 0), c: wish("C", 0) };
    const found = await findPorts(wishes);
    expect(new Set(Object.values(found)).size).to.equal(3);
    const again = { a: wish("A", found.a), b: wish("B", found.b) };
    expect(await findPorts(again)).to.deep.equal({ a: found.a, b: found.b });
  });

  it("selects ports below the ephemeral range for 0", async () => {
    const { port } = await findPorts({ port: wish("ANY", 0) });
    expect(port).to.be.within(1024, LOWEST_EPHEMERAL_PORT - 1);
  });

  it("names every taken port with its variable", async () => {
    const [first, second] = [await takePort(), await takePort()];
    const wishes = {
      a: wish("A_PORT", first),
      free: wish("FREE_PORT", 0),
      b: wish("B_PORT", second),
    };
    expect(await messageOf(findPorts(wishes))).to.equal(
      [
        "these ports are not available:",
        `  ${first} for the user of A_PORT is in use: set A_PORT to another port`,
        `  ${second} for the user of B_PORT is in use: set B_PORT to another port`,
        "  Is another `serin dev` running? 0 selects a free port.",
      ].join("\n"),
    );
  });

  it("rejects one port for two programs", async () => {
    const { port } = await findPorts({ port: wish("ANY", 0) });
    const wishes = { a: wish("A_PORT", port), b: wish("B_PORT", port) };
    expect(await messageOf(findPorts(wishes))).to.include(
      `${port} for the user of B_PORT is in use`,
    );
  });

  it("names an address that is not available on this machine", async () => {
    const elsewhere = { a: wish("A_PORT", 0, "192.0.2.1") };
    expect(await messageOf(findPorts(elsewhere))).to.include("EADDRNOTAVAIL");
  });
});
