import { expect } from "chai";
import request from "supertest";
import { createApi } from "../../../apps/monitor/api/routes.js";
import { EVENT_KINDS } from "../../../lib/flag/ledger.js";
import { FakeApiBackend } from "../../support/http/fake-api-backend.js";
import { createMemoryLogger } from "../../support/logger.js";

describe("monitor's API, reading", () => {
  let backend: FakeApiBackend;
  let logger: ReturnType<typeof createMemoryLogger>;

  beforeEach(() => {
    backend = new FakeApiBackend();
    logger = createMemoryLogger();
  });

  function get(path: string, adminToken?: string) {
    return request(
      createApi(backend, {
        flagName: "feature",
        adminToken,
        answerMetrics: (_request, response) => void response.send("metrics"),
        logger,
      }),
    ).get(path);
  }

  it("answers 50 events of all kinds by default", async () => {
    const event = {
      id: "1-0",
      kind: "flip",
      by: "monitor",
      reason: "r",
      at: "2026-03-01T12:00:00.000Z",
      data: { value: false },
    } as const;
    backend.events = [event];
    const answer = await get("/api/events").expect(200);
    expect(answer.body).to.deep.equal([event]);
    expect(backend.queries).to.deep.equal([{ limit: 50 }]);
  });

  it("plans for ten minutes at five weights by default, and for those that are asked for", async () => {
    await get("/api/plan").expect(200);
    await get("/api/plan?minutes=30&weights=2,7.5").expect(200);
    expect(backend.plans).to.deep.equal([
      { minutes: 10, weights: [2, 5, 10, 25, 50] },
      { minutes: 30, weights: [2, 7.5] },
    ]);
  });

  for (const query of [
    ...["minutes=0", "minutes=10000", "minutes=soon", "weights=", "weights=0"],
    ...["weights=100", "weights=7.555", "weights=-1", "weights=2,,5"],
    `weights=${Array(11).fill("2").join()}`,
  ])
    it(`plans nothing for ${query}`, async () => {
      const answer = await get(`/api/plan?${query}`).expect(400);
      expect((answer.body as { error: string }).error).to.match(/must be/);
    });

  for (const kind of EVENT_KINDS) {
    it(`asks for events of the kind ${kind}`, async () => {
      await get(`/api/events?limit=7&kind=${kind}&after=1700-3`).expect(200);
      expect(backend.queries).to.deep.equal([
        { limit: 7, kind, after: "1700-3" },
      ]);
    });
  }

  for (const query of ["limit=1", "limit=1000", "after=0", "after=1700"]) {
    it(`takes ${query}`, async () => {
      await get(`/api/events?${query}`).expect(200);
    });
  }

  for (const [query, error] of [
    ["limit=0", /^limit must be a whole number from 1 to 1000$/],
    ["limit=1001", /^limit/],
    ["limit=-1", /^limit/],
    ["limit=1.5", /^limit/],
    ["limit=ten", /^limit/],
    ["limit=", /^limit/],
    ["limit=1&limit=2", /^limit/],
    ["kind=party", /^kind must be one of flip, rollout, breach, recovery,/],
    ["kind=", /^kind/],
    ["kind=flip&kind=stop", /^kind/],
    ["after=", /^after must be an event id such as/],
    ["after=yesterday", /^after/],
    ["after=-1", /^after/],
    ["after=(1-0", /^after/],
    ["after=1-0&after=2-0", /^after/],
    ["after=9999999999999999-0", /^after/],
  ] as const) {
    it(`refuses ?${query}, and names the right form`, async () => {
      const answer = await get(`/api/events?${query}`).expect(400);
      expect((answer.body as { error: string }).error).to.match(error);
      expect(backend.queries).to.be.empty;
    });
  }

  it("needs no token", async () => {
    await get("/api/state", "t0ken").expect(200);
    await get("/api/events", "t0ken").expect(200);
  });

  for (const path of ["/api/state", "/api/events"]) {
    it(`answers 503 to ${path} while Redis is away, without internals`, async () => {
      backend.failure = new Error("connect ECONNREFUSED 10.1.2.3:6379");
      const answer = await get(path).expect(503);
      expect(answer.body).to.deep.equal({
        error: "Redis cannot be reached; try again",
      });
      expect(logger.lines).to.deep.equal([
        {
          level: "warn",
          data: { err: backend.failure },
          message: "a request could not be served",
        },
      ]);
    });
  }

  it("is healthy without Redis, and ready with it", async () => {
    backend.reason = "waiting for Redis";
    await get("/healthz").expect(200, { status: "ok" });
    await get("/readyz").expect(503, { status: "waiting for Redis" });
    backend.reason = undefined;
    await get("/readyz").expect(200, { status: "ready" });
    backend.held = [{ channel: "mail", error: "SES: Throttling" }];
    await get("/readyz").expect(200, {
      status: "ready",
      alerts: ["mail cannot be sent: SES: Throttling"],
    });
  });

  for (const path of ["/api", "/api/flags/feature", "/api/state/x", "/.env"]) {
    it(`has nothing at ${path}`, async () => {
      const answer = await get(path).expect(404);
      expect((answer.body as { error: string }).error).to.match(
        /^not found: try /,
      );
    });
  }

  it("does not reveal its framework", async () => {
    const { headers } = await get("/healthz");
    expect(headers).not.to.have.property("x-powered-by");
  });
});
