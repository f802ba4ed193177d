import express from "express";
import request from "supertest";
import { refuseForeignHosts } from "../../../lib/program/foreign-hosts.js";

/** Answers 200 to requests that pass the guard. */
function guarded() {
  const app = express();
  app.use(refuseForeignHosts("Edge-1.internal"));
  return app.use((_request, response) => void response.send("in"));
}

describe("a server for operators", () => {
  for (const host of [
    "127.0.0.1:8081",
    "10.0.0.5",
    "[::1]:8081",
    "[2001:db8::1]",
    "localhost:8081",
    "LOCALHOST",
    "edge-1.internal:8081",
    "EDGE-1.internal",
  ])
    it(`answers requests to ${host}`, async () => {
      await request(guarded()).get("/").set("host", host).expect(200);
    });

  for (const host of [
    "evil.example.com:8081",
    "localhost.evil.com",
    "127.0.0.1.evil.com",
    "10.0.0.5.evil.com",
    "edge-1.internal.evil.com",
    "evil.com@127.0.0.1",
    "127.0.0.1/evil.com",
    "127.0.0.1:8081:1",
    "0x7f.1",
    "2130706433",
    "[::1",
    "[evil.com]",
    "a b",
    "",
  ])
    it(`refuses requests to ${JSON.stringify(host)}`, async () => {
      await request(guarded()).get("/").set("host", host).expect(403);
    });
});
