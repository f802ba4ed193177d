import { expect } from "chai";
import express, { type ErrorRequestHandler, type Express } from "express";
import request from "supertest";
import {
  refuseForeignPages,
  requireToken,
} from "../../../apps/monitor/api/access.js";
import { HttpError } from "../../../apps/monitor/api/access.js";

const TOKEN = "s3cret-t0ken";

/** Answers 200 to requests that pass both guards. */
function guarded(adminToken: string | undefined): Express {
  const app = express();
  app.use(refuseForeignPages(adminToken), requireToken(adminToken));
  app.use((_request, response) => void response.send("in"));
  const answerError: ErrorRequestHandler = (err, _request, response, next) => {
    if (!(err instanceof HttpError)) next(err);
    else response.status(err.status).json({ error: err.message });
  };
  app.use(answerError);
  return app;
}

describe("monitor's token", () => {
  for (const presented of [
    `Bearer ${TOKEN}`,
    `bearer ${TOKEN}`,
    `Bearer   ${TOKEN}`,
  ]) {
    it(`accepts ${JSON.stringify(presented)}`, async () => {
      const sent = request(guarded(TOKEN)).post("/");
      await sent.set("authorization", presented).expect(200);
    });
  }

  for (const presented of [
    "",
    "Bearer",
    "Bearer ",
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${"x".repeat(5000)}`,
  ]) {
    it(`refuses ${JSON.stringify(presented.slice(0, 40))}`, async () => {
      const sent = request(guarded(TOKEN)).post("/");
      const answer = await sent.set("authorization", presented).expect(401);
      expect(answer.headers["www-authenticate"]).to.equal("Bearer");
      expect(answer.body).to.deep.equal({
        error: "send the admin token: Authorization: Bearer <ADMIN_TOKEN>",
      });
    });
  }

  it("is not required when none is set", async () => {
    await request(guarded(undefined)).post("/").expect(200);
  });
});

describe("monitor without a token", () => {
  for (const host of [
    "127.0.0.1:8090",
    "127.0.0.1",
    "127.9.9.9:8090",
    "localhost:8090",
    "LOCALHOST",
    "[::1]:8090",
  ]) {
    it(`answers requests to ${host}`, async () => {
      await request(guarded(undefined)).get("/").set("host", host).expect(200);
    });
  }

  for (const host of [
    "evil.example.com:8090",
    "localhost.evil.com",
    "127.0.0.1.evil.com",
    "10.0.0.5:8090",
    "0.0.0.0:8090",
    "[::2]",
    "evil.example.com@127.0.0.1",
    "127.0.0.1/evil.example.com",
    "2130706433",
    "",
    ":8090",
    "a b",
    "evil.example.com@localhost",
    "localhost/evil.example.com",
    "localhost#evil",
    "localhost:",
    "localhost:80a",
    "localhost:8090:8090",
    "127.1",
    "2130706433",
    "0x7f000001",
    "127.0.0.1.",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
  ]) {
    it(`refuses requests to ${JSON.stringify(host)}, reads included`, async () => {
      const sent = request(guarded(undefined)).get("/").set("host", host);
      const answer = await sent.expect(403);
      expect(answer.body).to.deep.equal({
        error:
          "without ADMIN_TOKEN only requests to a loopback name are answered",
      });
    });
  }
});

describe("monitor's own page", () => {
  for (const origin of ["http://127.0.0.1:8090", "https://127.0.0.1:8090"]) {
    it(`may post from ${origin}`, async () => {
      const sent = request(guarded(undefined)).post("/");
      await sent.set({ host: "127.0.0.1:8090", origin }).expect(200);
    });
  }

  for (const token of [undefined, TOKEN]) {
    for (const origin of [
      "http://127.0.0.1:3000",
      "http://evil.example.com",
      "null",
      "",
    ]) {
      it(`is not ${origin || "nothing"}, ${token === undefined ? "without" : "with"} a token`, async () => {
        const answer = await request(guarded(token))
          .post("/")
          .set({ host: "127.0.0.1:8090", origin })
          .set("authorization", `Bearer ${TOKEN}`)
          .expect(403);
        expect(answer.body).to.deep.equal({
          error: "requests from another site’s page are refused",
        });
      });
    }
  }

  it("is not required for reads, which browsers keep from other pages", async () => {
    const sent = request(guarded(TOKEN)).get("/");
    await sent
      .set({ host: "monitor.example.com", origin: "http://other.example.com" })
      .set("authorization", `Bearer ${TOKEN}`)
      .expect(200)
      .expect(({ headers }) => {
        expect(headers).not.to.have.property("access-control-allow-origin");
      });
  });
});
