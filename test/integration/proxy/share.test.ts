import { expect } from "chai";
import { startNamedBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import {
  createKeepAliveAgent,
  send,
  type Sending,
} from "../../support/http/http-client.js";
import {
  startOpenProxy,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";

async function startSides(env: Record<string, string> = {}) {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  const proxy = await startOpenProxy({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    ...env,
  });
  return { prod, canary, proxy };
}

/** Sends `count` requests, `lanes` at a time. @returns the side that served each */
async function sendMany(
  { port }: ProxyProgram,
  options: { count: number; lanes: number; sending?: Sending },
): Promise<string[]> {
  const servedBy: string[] = [];
  let left = options.count;
  const run = async () => {
    while (left-- > 0)
      servedBy.push((await send(port, options.sending)).servedBy ?? "none");
  };
  await Promise.all(Array.from({ length: options.lanes }, run));
  return servedBy;
}

function tally(items: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}

describeEngines("proxy share of the canary", () => {
  for (const [how, lanes, connections] of [
    ["one after the other over one kept-alive connection", 1, 1],
    ["one after the other over a new connection each", 1, 0],
    ["64 at a time over kept-alive connections", 64, 64],
    ["64 at a time over a new connection each", 64, 0],
  ] as const) {
    it(`is exactly 100 of the first 400 requests, sent ${how}`, async () => {
      const { proxy, prod, canary } = await startSides();
      const sending =
        connections > 0 ? { agent: createKeepAliveAgent(connections) } : {};
      const servedBy = await sendMany(proxy, { count: 400, lanes, sending });
      expect(tally(servedBy)).to.deep.equal({ prod: 300, canary: 100 });
      expect(prod.seen).to.have.length(300);
      expect(canary.seen).to.have.length(100);
      expect((await proxy.status()).requests).to.deep.equal({
        prod: 300,
        canary: 100,
      });
    });
  }

  for (const [split, expected] of [
    ["1:0", { prod: 60 }],
    ["0:1", { canary: 60 }],
    ["9:1", { prod: 54, canary: 6 }],
  ] as const) {
    it(`is exact at ${split}`, async () => {
      const { proxy } = await startSides({ SPLIT: split });
      const servedBy = await sendMany(proxy, { count: 60, lanes: 1 });
      expect(tally(servedBy)).to.deep.equal(expected);
    });
  }

  it("is spread over each side's URLs in turn", async () => {
    const prods = [await startNamedBackend("a"), await startNamedBackend("b")];
    const canaries = [
      await startNamedBackend("c"),
      await startNamedBackend("d"),
    ];
    const proxy = await startOpenProxy({
      PROD_URLS: prods.map(({ url }) => url.origin).join(","),
      CANARY_URLS: canaries.map(({ url }) => url.origin).join(", "),
    });
    await sendMany(proxy, { count: 400, lanes: 1 });
    const served = [...prods, ...canaries].map(({ seen }) => seen.length);
    expect(served).to.deep.equal([150, 150, 50, 50]);
  });

  it("includes each of four paths that a client cycles through", async () => {
    const { proxy, canary } = await startSides();
    const agent = createKeepAliveAgent(1);
    for (let i = 0; i < 800; i++)
      await send(proxy.port, { agent, path: `/${i % 4}` });
    const met = tally(canary.seen);
    expect(Object.keys(met)).to.have.members(["/0", "/1", "/2", "/3"]);
    // 200 draws of four: 50 each, within 5 standard deviations (6.1).
    for (const count of Object.values(met)) expect(count).to.be.within(20, 80);
  });
});
