import { gzipSync } from "node:zlib";
import { expect } from "chai";
import request from "supertest";
import { createApi } from "../../../apps/monitor/api/routes.js";
import { FakeApiBackend } from "../../support/http/fake-api-backend.js";
import { createMemoryLogger } from "../../support/logger.js";

const HELP =
  'send {"value": true | false | "toggle", "reason": "1 to 500 characters, optional"}';

const EFFECT = {
  proxies: 1,
  confirmed: true,
  effect: "1 proxy stopped the canary after 3 ms; no request was in flight",
};

describe("monitor's POST /api/flags/:name", () => {
  let backend: FakeApiBackend;

  beforeEach(() => {
    backend = new FakeApiBackend();
  });

  function api(adminToken?: string) {
    const logger = createMemoryLogger();
    return createApi(backend, {
      flagName: "feature",
      adminToken,
      answerMetrics: (_request, response) => void response.send("metrics"),
      logger,
    });
  }

  function post(body: string | object | undefined, name = "feature") {
    const sent = request(api()).post(`/api/flags/${name}`);
    return typeof body === "string"
      ? sent.set("content-type", "application/json").send(body)
      : sent.send(body);
  }

  it("sets the flag, with author and reason", async () => {
    const answer = await post({ value: false, reason: " bad release " });
    expect(answer.body).to.deep.equal({
      name: "feature",
      value: false,
      changed: true,
      ...EFFECT,
    });
    expect(backend.changes).to.deep.equal([
      { value: false, reason: "bad release" },
    ]);
  });

  it("needs no reason", async () => {
    await post({ value: true }).expect(200);
    expect(backend.changes).to.deep.equal([
      { value: true, reason: "requested through the API" },
    ]);
  });

  it("toggles the flag, and answers the new value", async () => {
    const answer = await post({ value: "toggle" }).expect(200);
    expect(answer.body).to.deep.equal({
      name: "feature",
      value: false,
      changed: true,
      ...EFFECT,
    });
  });

  for (const outcome of ["unchanged", "held"] as const) {
    it(`reports whether the value changed (${outcome})`, async () => {
      backend.outcome = outcome;
      const answer = await post({ value: false }).expect(200);
      expect(answer.body).to.deep.equal({
        name: "feature",
        value: false,
        changed: false,
        ...EFFECT,
      });
    });
  }

  it("accepts JSON of any content type", async () => {
    await request(api())
      .post("/api/flags/feature")
      .set("content-type", "application/x-www-form-urlencoded")
      .send('{"value":false}')
      .expect(200);
  });

  for (const name of [
    "other",
    "Feature",
    "feature2",
    "fe%2Fature",
    "feature%00",
  ]) {
    it(`knows no flag ${name}`, async () => {
      const answer = await post({ value: false }, name).expect(404);
      expect(answer.body).to.deep.equal({
        error: `no flag ${JSON.stringify(decodeURIComponent(name))}: this monitor has "feature"`,
      });
      expect(backend.changes).to.be.empty;
    });
  }

  it("answers 404 for an unknown flag, whatever the body", async () => {
    await post("{", "other").expect(404);
  });

  for (const [what, body] of [
    ["nothing", undefined],
    ["no JSON", "{value:false}"],
    ["half of JSON", '{"value":'],
    ["JSON null", "null"],
    ["a bare value", "false"],
    ["a list", "[]"],
    ["an empty object", {}],
    ["a value as text", { value: "false" }],
    ["a value as number", { value: 0 }],
    ["a value null", { value: null }],
    ["a value of another word", { value: "TOGGLE" }],
    ["an unknown field", { value: false, force: true }],
    ["a reason that is no text", { value: false, reason: 7 }],
    ["an empty reason", { value: false, reason: "" }],
    ["a blank reason", { value: false, reason: " \n" }],
    ["a reason without end", { value: false, reason: "x".repeat(501) }],
  ] as const) {
    it(`refuses ${what}, and names the right form`, async () => {
      const answer = await post(body).expect(400);
      expect(answer.body).to.deep.equal({ error: HELP });
      expect(backend.changes).to.be.empty;
    });
  }

  it("accepts a reason of 500 characters", async () => {
    await post({ value: false, reason: "x".repeat(500) }).expect(200);
  });

  it("refuses a body above 64 KiB", async () => {
    const large = JSON.stringify({ value: false, pad: "x".repeat(65_536) });
    const answer = await post(large).expect(413);
    expect(answer.body).to.deep.equal({
      error: "the body may be at most 64 KiB",
    });
  });

  it("refuses a small body that unpacks to more than 64 KiB", async () => {
    const packed = gzipSync(Buffer.alloc(1_000_000, " "));
    const { status } = await request(api())
      .post("/api/flags/feature")
      .set({ "content-type": "application/json", "content-encoding": "gzip" })
      .serialize((body: unknown) => body as string)
      .send(packed);
    expect(status).to.equal(413);
  });

  for (const [what, headers] of [
    ["an unknown encoding", { "content-encoding": "rot13" }],
    ["an unknown charset", { "content-type": "application/json; charset=x" }],
    ["what is not packed as it says", { "content-encoding": "gzip" }],
  ] as const) {
    it(`refuses ${what} as the client's fault`, async () => {
      const sent = request(api()).post("/api/flags/feature").set(headers);
      const answer = await sent
        .serialize((text: unknown) => text as string)
        .send('{"value":false}')
        .expect(400);
      expect(answer.body).to.deep.equal({ error: HELP });
    });
  }

  it("refuses a path that is not validly encoded", async () => {
    const answer = await post({ value: false }, "%E0%A4%A").expect(400);
    expect(answer.body).to.deep.equal({
      error: "the path is not validly encoded",
    });
  });

  it("requires the token before it reads the request", async () => {
    const sent = request(api("t0ken")).post("/api/flags/other");
    await sent.send("{").expect(401);
    expect(backend.changes).to.be.empty;
  });

  it("accepts a request with the token", async () => {
    await request(api("t0ken"))
      .post("/api/flags/feature")
      .set("authorization", "Bearer t0ken")
      .send({ value: false })
      .expect(200);
    expect(backend.changes).to.have.length(1);
  });

  it("answers 503 while Redis is away", async () => {
    backend.failure = new Error("Connection is closed.");
    const answer = await post({ value: false }).expect(503);
    expect(answer.body).to.deep.equal({
      error: "Redis cannot be reached; try again",
    });
  });
});

describe("monitor's POST /api/test-mail", () => {
  it("requires the token, and answers the mail's id and transport", async () => {
    const logger = createMemoryLogger();
    const backend = new FakeApiBackend();
    const options = {
      flagName: "feature",
      adminToken: "t0ken",
      answerMetrics: () => undefined,
      logger,
    };
    const api = request(createApi(backend, options));
    await api.post("/api/test-mail").expect(401);
    const answer = await api
      .post("/api/test-mail")
      .set("authorization", "Bearer t0ken")
      .expect(202);
    expect(answer.body).to.deep.equal({
      id: "0123456789abcdef",
      transport: "log",
    });
  });
});
