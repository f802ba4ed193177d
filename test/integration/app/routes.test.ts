import { gzipSync } from "node:zlib";
import { expect } from "chai";
import supertest from "supertest";
import { createApp, type AppOptions } from "../../../apps/app/app.js";
import { StoreUnavailable } from "../../../apps/app/errors.js";
import type { Store } from "../../../apps/app/feature.js";
import { requireFlag } from "../../../lib/client/require-flag.js";
import { createMemoryLogger } from "../../support/logger.js";

const MAX_VALUE_BYTES = 65_536;
const KEY_RULE = "key must be 1 to 128 of A-Z a-z 0-9 . _ -";
const MS_RULE = "ms must be one whole number from 0 to 30000";

function createMemoryStore(): Store {
  const values = new Map<string, Buffer>();
  return {
    write: (key, value) => Promise.resolve(void values.set(key, value)),
    read: (key) => Promise.resolve(values.get(key) ?? null),
  };
}

/** The real gate over a flag whose state a test sets. */
function createState(state: { isOn: boolean; whyUnknown?: string }) {
  return {
    state,
    get whyUnknown() {
      return state.whyUnknown ?? null;
    },
    require: (name: string) => requireFlag({ isOn: () => state.isOn }, name),
  };
}

function agentFor(
  role: "prod" | "canary",
  options: Partial<AppOptions> = {},
): ReturnType<typeof supertest> {
  return supertest(
    createApp({
      identity: { role, version: "1.2.3", host: "edge1" },
      flagName: "feature",
      flags: createState({ isOn: true }),
      store: createMemoryStore(),
      slowMs: 1,
      whyNotReady: () => null,
      logger: createMemoryLogger(),
      ...options,
    }),
  );
}

/** The raw body of a response with status 200. */
async function bytesOf(test: supertest.Test): Promise<Buffer> {
  const response = await test.responseType("blob").expect(200);
  return response.body as Buffer;
}

describe("app routes", () => {
  it("greets with role, version and host", async () => {
    const response = await agentFor("canary").get("/").expect(200);
    expect(response.headers).not.to.have.property("x-powered-by");
    expect(response.body).to.include({
      role: "canary",
      version: "1.2.3",
      host: "edge1",
    });
  });

  it("is healthy independently of flag and Redis", async () => {
    const options = {
      flags: createState({ isOn: false, whyUnknown: "Redis is away" }),
      whyNotReady: () => "Redis has not answered yet",
    };
    await agentFor("prod", options).get("/healthz").expect(200, {
      status: "ok",
      role: "prod",
      version: "1.2.3",
      host: "edge1",
      pid: process.pid,
    });
  });

  it("is ready, or reports why not", async () => {
    await agentFor("prod").get("/readyz").expect(200, { status: "ready" });
    await agentFor("prod", { whyNotReady: () => "stopping" })
      .get("/readyz")
      .expect(503, { status: "not ready", because: "stopping" });
  });

  it("answers an unknown route with 404", async () => {
    const error = "not found: DELETE /set/a";
    await agentFor("prod").delete("/set/a").expect(404, { error });
  });

  describe("/set and /get", () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const values = {
      "an empty value": Buffer.alloc(0),
      "every byte there is": everyByte,
      "64 KiB": Buffer.alloc(MAX_VALUE_BYTES, everyByte),
    };
    for (const [name, value] of Object.entries(values)) {
      it(`return ${name} unchanged`, async () => {
        const app = agentFor("prod");
        await app
          .post("/set/a")
          .type("application/octet-stream")
          .send(value)
          .expect(200, { key: "a", bytes: value.length });
        const body = await bytesOf(app.get("/get/a"));
        expect(body.equals(value)).to.be.true;
      });
    }

    for (const type of ["form", "json", "text/plain"]) {
      it(`accept a body of type ${type} unchanged`, async () => {
        const app = agentFor("prod");
        await app.post("/set/a").type(type).send('{"b": 1}').expect(200);
        const body = await bytesOf(app.get("/get/a"));
        expect(body.toString()).to.equal('{"b": 1}');
      });
    }

    it("set the empty value for a request without a body", async () => {
      const app = agentFor("prod");
      await app.post("/set/a").expect(200, { key: "a", bytes: 0 });
      expect(await bytesOf(app.get("/get/a"))).to.have.lengthOf(0);
    });

    it("prevent browsers from rendering a value as a page", async () => {
      const app = agentFor("prod");
      await app.post("/set/a").type("html").send("<script>").expect(200);
      await app
        .get("/get/a")
        .expect("content-type", "text/plain; charset=utf-8")
        .expect("x-content-type-options", "nosniff");
    });

    it("answer a missing key with 404", async () => {
      const error = "no value for key a";
      await agentFor("prod").get("/get/a").expect(404, { error });
    });

    it("reject a value above 64 KiB with 413", async () => {
      const error = "body too large: give at most 65536 bytes";
      const value = Buffer.alloc(MAX_VALUE_BYTES + 1);
      await agentFor("prod").post("/set/a").send(value).expect(413, { error });
      await agentFor("prod")
        .post("/set/a")
        .set("content-encoding", "gzip")
        .send(gzipSync(value))
        .expect(413, { error });
    });

    for (const key of ["a", "A.b_c-9", "x".repeat(128)]) {
      it(`accept a key like ${key.slice(0, 10)} (${key.length})`, async () => {
        await agentFor("prod").post(`/set/${key}`).expect(200);
      });
    }

    for (const key of ["a%20b", "a%2Fb", "a%0A", "%C3%A9", "x".repeat(129)]) {
      it(`reject the key ${key.slice(0, 10)} (${key.length})`, async () => {
        const app = agentFor("prod");
        await app.post(`/set/${key}`).expect(400, { error: KEY_RULE });
        await app.get(`/get/${key}`).expect(400, { error: KEY_RULE });
      });
    }

    it("reject a malformed percent-encoding with 400", async () => {
      const error = "Failed to decode param '%zz'";
      await agentFor("prod").get("/get/%zz").expect(400, { error });
    });
  });

  describe("the flag", () => {
    const off = { flags: createState({ isOn: false }) };
    const disabled = { error: "feature disabled", flag: "feature" };
    const unavailable = { error: "store unavailable" };

    it("disables the feature on prod while it is false", async () => {
      const app = agentFor("prod", off);
      await app.post("/set/a").send("1").expect(503, disabled);
      await app.get("/get/a").expect(503, disabled);
    });

    it("disables nothing on the canary", async () => {
      const app = agentFor("canary", off);
      await app.post("/set/a").expect(200);
      await app.get("/get/a").expect(200);
    });

    it("disables only the feature", async () => {
      const app = agentFor("prod", off);
      await app.get("/").expect(200);
      await app.get("/nowhere").expect(404);
    });

    it("takes effect at the next request", async () => {
      const flags = createState({ isOn: true });
      const app = agentFor("prod", { flags });
      await app.post("/set/a").expect(200);
      flags.state.isOn = false;
      await app.get("/get/a").expect(503, disabled);
      flags.state.isOn = true;
      await app.get("/get/a").expect(200);
    });

    it("disables the feature on prod until it is known", async () => {
      const flags = createState({ isOn: false, whyUnknown: "Redis is away" });
      const app = agentFor("prod", { flags });
      await app.get("/get/a").expect(503, unavailable);
    });
  });

  describe("/slow", () => {
    it("does not exist on prod", async () => {
      const error = "not found: GET /slow";
      await agentFor("prod").get("/slow?ms=abc").expect(404, { error });
    });

    it("responds after its default or ?ms=", async () => {
      const app = agentFor("canary", { slowMs: 20 });
      const startedAt = performance.now();
      await app.get("/slow").expect(200, { delayMs: 20 });
      // Timers may fire up to a millisecond early by this clock.
      expect(performance.now() - startedAt).to.be.at.least(19);
      await app.get("/slow?ms=0").expect(200, { delayMs: 0 });
    });

    for (const query of ["ms=", "ms=-1", "ms=1.5", "ms=30001", "ms=1&ms=2"]) {
      it(`rejects ${query}`, async () => {
        await agentFor("canary")
          .get(`/slow?${query}`)
          .expect(400, { error: MS_RULE });
      });
    }
  });

  describe("errors", () => {
    const failing = (err: Error): Partial<AppOptions> => ({
      store: {
        read: () => Promise.reject(err),
        write: () => Promise.reject(err),
      },
    });

    it("distinguish an unavailable store from a fault", async () => {
      const options = failing(new StoreUnavailable());
      await agentFor("prod", options)
        .get("/get/a")
        .expect(503, { error: "store unavailable" });
    });

    it("log unexpected errors without sending their details", async () => {
      const logger = createMemoryLogger();
      const err = new Error("a secret");
      await agentFor("prod", { ...failing(err), logger })
        .get("/get/a")
        .expect(500, { error: "internal error" });
      expect(logger.lines).to.deep.equal([
        {
          level: "error",
          data: { err, method: "GET", path: "/get/a" },
          message: "request failed",
        },
      ]);
    });

    it("reject an unknown encoding", async () => {
      const error = 'unsupported content encoding "rot13"';
      await agentFor("prod")
        .post("/set/a")
        .set("content-encoding", "rot13")
        .send("1")
        .expect(415, { error });
    });
  });
});
