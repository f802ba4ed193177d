import { expect } from "chai";
import { startBackend, type Backend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { createKeepAliveAgent, send } from "../../support/http/http-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

/** A side that answers every request with this status, and tells its name and what it was asked. */
async function startSide(
  name: string,
  status: number,
): Promise<Backend & { asked: string[] }> {
  const asked: string[] = [];
  const backend = await startBackend((request, response) => {
    asked.push(request.method ?? "");
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end(request.method === "HEAD" ? "" : name);
  });
  return { ...backend, asked };
}

async function startSides(prodStatus: number, canaryStatus: number) {
  const prod = await startSide("prod", prodStatus);
  const canary = await startSide("canary", canaryStatus);
  const outcomes: number[] = [];
  const proxy = await startTestProxy({
    ...{ prod, canary, fallsBack: true },
    onOutcome: (_side, status) => outcomes.push(status),
  });
  return { prod, canary, proxy, outcomes };
}

describeEngines("proxy asset fallback", () => {
  for (const method of ["GET", "HEAD"])
    it(`tries a ${method} that one side answers 404 on the other, once`, async () => {
      const { proxy, prod, canary, outcomes } = await startSides(404, 200);
      const agent = createKeepAliveAgent(1);
      for (let i = 0; i < 3; i++) {
        const answer = await send(proxy.port, { method, agent });
        expect([answer.status, answer.servedBy]).to.deep.equal([200, "canary"]);
      }
      expect(prod.asked).to.deep.equal([method, method, method]);
      expect(canary.asked).to.deep.equal([method, method, method]);
      // The connection that brought the 404 is used again.
      if (method === "GET") expect(prod.accepted()).to.equal(1);
      expect(outcomes).to.deep.equal([200, 200, 200]);
      const { prod: counts } = proxy.counts();
      expect(counts.status).to.deep.equal({ 200: 3 });
      expect(counts.arms.foundElsewhere).to.equal(3);
      expect(counts.routes).to.deep.equal({});
    });

  it("answers 404 when neither side has it", async () => {
    const { proxy, prod, canary } = await startSides(404, 404);
    expect((await send(proxy.port)).status).to.equal(404);
    expect([prod.asked.length, canary.asked.length]).to.deep.equal([1, 1]);
    expect(proxy.counts().prod.status).to.deep.equal({ 404: 1 });
  });

  for (const [name, status] of [
    ["fails", 500],
    ["refuses it", 401],
    ["cannot be reached", 0],
  ] as const)
    it(`answers the first side's 404 when the other side ${name}`, async () => {
      const { proxy, outcomes } = await startSides(404, status);
      const answer = await send(proxy.port);
      expect([answer.status, answer.servedBy]).to.deep.equal([404, "prod"]);
      expect(outcomes).to.deep.equal([404]);
      expect(proxy.counts().canary.requests).to.equal(0);
    });

  for (const [name, sending] of [
    ["POST", { method: "POST" }],
    ["DELETE", { method: "DELETE" }],
    [
      "GET with a body",
      {
        method: "GET",
        body: Buffer.from("x"),
        headers: { "content-length": 1 },
      },
    ],
  ] as const)
    it(`does not try a ${name} again`, async () => {
      const { proxy, canary } = await startSides(404, 200);
      expect((await send(proxy.port, sending)).status).to.equal(404);
      expect(canary.asked).to.deep.equal([]);
    });

  it("relays a large 404 of neither side whole", async () => {
    const body = "x".repeat(300_000);
    const big = () =>
      startBackend((_request, response) => response.writeHead(404).end(body));
    const [prod, canary] = [await big(), await big()];
    const proxy = await startTestProxy({ prod, canary, fallsBack: true });
    for (let i = 0; i < 3; i++)
      expect((await send(proxy.port)).body).to.have.length(body.length);
  });
});
