import { expect } from "chai";
import type { ServerResponse } from "node:http";
import { startBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

describeEngines("proxy streaming", () => {
  it("relays each server-sent event while the response is open", async () => {
    let events: ServerResponse | undefined;
    const prod = await startBackend((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      events = response;
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/events");
    await client.sees("data: first\n\n");
    events!.write("data: second\n\n");
    await client.sees("data: second\n\n");
    events!.end();
    const { body } = await client.response();
    expect(body).to.equal("data: first\n\ndata: second\n\n");
  });

  it("relays the head before the body's first byte", async () => {
    const prod = await startBackend((_request, response) => {
      response.flushHeaders();
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    await client.sees("x-served-by: prod\r\n");
    expect(proxy.counts().prod.status).to.deep.equal({ 200: 1 });
  });

  it("streams both ways at once: the response begins before the upload ends", async () => {
    const prod = await startBackend((request, response) => {
      request.pipe(response);
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    client.send("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "");
    client.send("", "4", "ping", "");
    await client.sees("ping");
    client.send("4", "pong", "0", "", "");
    expect((await client.response()).body).to.equal("pingpong");
  });

  it("answers pipelined requests in their order, whichever upstream is faster", async () => {
    let answered = 0;
    const responses = new Map<string, ServerResponse>();
    const prod = await startBackend((request, response) => {
      responses.set(request.url!, response);
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/1").get("/2").get("/3");
    await waitFor("all three upstream", () => responses.size === 3);
    responses.get("/3")!.end("third");
    responses.get("/2")!.end("second");
    await waitFor("the later two to be relayed", () => {
      const { requests } = proxy.counts().prod;
      return (answered += requests) === 2;
    });
    expect(client.unread).to.equal("");
    responses.get("/1")!.end("first");
    for (const body of ["first", "second", "third"])
      expect((await client.response()).body).to.equal(body);
  });
});
