import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { ErrorCode, OpenFeature } from "@openfeature/server-sdk";
import { expect } from "chai";
import { Ledger } from "../../../lib/flag/ledger.js";
import { onCleanup } from "../../support/cleanup.js";
import { send } from "../../support/http/http-client.js";
import { startProgram } from "../../support/programs/program.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { waitFor } from "../../support/wait-for.js";

const DOCUMENT = new URL("../../../../docs/flags.md", import.meta.url);
const FLIP = { by: "operator", reason: "a test", data: {} } as const;

async function startAgent(env: Record<string, string> = {}) {
  const { redis, keys } = openTestRedis();
  const agent = await startProgram("agent", {
    TARGET: "prod",
    APP_PID: String(process.pid),
    KEY_PREFIX: keys.prefix,
    FLAGS: "new-checkout,search",
    ...env,
  });
  const ask = async (
    path: string,
    body = "{}",
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(
      `${agent.url}/ofrep/v1/evaluate/flags${path}`,
      {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      },
    );
    const text = await response.text();
    const answer = text === "" ? undefined : (JSON.parse(text) as object);
    return { status: response.status, headers: response.headers, answer };
  };
  return { agent, ask, redis, keys, ledger: new Ledger(redis, keys) };
}

/** The agent once Redis has told it the flags. */
async function startKnowing() {
  const started = await startAgent();
  await waitFor("flags", async () => (await started.ask("")).status === 200);
  return started;
}

describe("agent OFREP", () => {
  it("serves OpenFeature's own OFREP provider", async () => {
    const { agent, ledger } = await startKnowing();
    await OpenFeature.setProviderAndWait(
      "ofrep",
      new OFREPProvider({ baseUrl: agent.url }),
    );
    onCleanup(() => OpenFeature.close());
    const client = OpenFeature.getClient("ofrep");
    expect(await client.getBooleanDetails("search", true)).to.include({
      value: true,
      errorCode: ErrorCode.FLAG_NOT_FOUND,
    });
    await ledger.flip("search", { ...FLIP, value: false });
    await ledger.flip("search", { ...FLIP, value: true });
    const details = await waitFor("the flag", async () => {
      const read = await client.getBooleanDetails("search", false);
      return read.value && read;
    });
    expect(details).to.include({ variant: "on", reason: "STATIC" });
    expect(details.flagMetadata).to.include({ by: "operator" });
    await ledger.flip("feature", { ...FLIP, value: false });
    await waitFor("the stop", async () => {
      const read = await client.getBooleanDetails("search", true);
      return read.reason === "DISABLED" && !read.value;
    });
    expect(await client.getStringDetails("feature", "a")).to.include({
      errorCode: ErrorCode.TYPE_MISMATCH,
    });
  });

  it("evaluates a flag that no setting names", async () => {
    const { ask, redis, keys } = await startKnowing();
    await redis.set(keys.flag("other"), "true");
    expect(await ask("/other")).to.deep.include({
      status: 200,
      answer: {
        key: "other",
        value: true,
        variant: "on",
        reason: "STATIC",
        metadata: {},
      },
    });
  });

  it("evaluates FLAG_NAME and those of FLAGS that are set, with an ETag", async () => {
    const { ask, redis, keys } = await startKnowing();
    await redis.set(keys.flag("search"), "true");
    const keysOf = (answer: object | undefined) =>
      (answer as { flags: { key: string }[] }).flags.map(({ key }) => key);
    const first = await waitFor("both", async () => {
      const bulk = await ask("");
      return keysOf(bulk.answer).length === 2 && bulk;
    });
    expect(keysOf(first.answer)).to.deep.equal(["feature", "search"]);
    const etag = first.headers.get("etag")!;
    for (const tags of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const again = await ask("", "{}", { "if-none-match": tags });
      expect(again).to.include({ status: 304, answer: undefined });
      expect(again.headers.get("etag")).to.equal(etag);
    }
    await redis.set(keys.flag("search"), "false");
    await waitFor("a change", async () => {
      const { status } = await ask("", "{}", { "if-none-match": etag });
      return status === 200;
    });
  });

  it("answers the commands of docs/flags.md", async () => {
    const { agent } = await startKnowing();
    const documented = readFileSync(DOCUMENT, "utf8");
    const [, commands = ""] = /^```sh\n(.*?)^```$/ms.exec(documented)!;
    const own = commands
      .replaceAll("http://127.0.0.1:3101", agent.url)
      .replaceAll("curl", "curl --fail --silent --show-error");
    const { stdout } = await promisify(execFile)("bash", ["-ec", own]);
    const feature = '{"key":"feature","value":true,"variant":"on"';
    expect(stdout).to.match(RegExp(`^${feature}.*\\{"flags":\\[${feature}`));
  });

  it("answers 404 for a flag that nobody has set or can set", async () => {
    const { ask } = await startKnowing();
    for (const [path, key] of [
      ["/new-checkout", "new-checkout"],
      ["/a%20b", "a b"],
    ] as const) {
      const { status, answer } = await ask(path);
      expect(status).to.equal(404);
      expect(answer).to.include({ key, errorCode: "FLAG_NOT_FOUND" });
    }
  });

  it("answers 400 for bad requests", async () => {
    const { ask } = await startKnowing();
    for (const [body, errorCode] of [
      ["{", "PARSE_ERROR"],
      ['{"context": 1}', "INVALID_CONTEXT"],
      ['{"context": null}', "INVALID_CONTEXT"],
    ] as const) {
      const single = await ask("/feature", body);
      expect(single.status).to.equal(400);
      expect(single.answer).to.include({ key: "feature", errorCode });
      const bulk = await ask("", body);
      expect(bulk.status).to.equal(400);
      expect(bulk.answer).to.include({ errorCode });
    }
    expect(await ask("/feature", "")).to.include({ status: 200 });
  });

  it("answers 400 without a stack for a path that cannot be decoded", async () => {
    const { ask } = await startKnowing();
    const { status, answer } = await ask("/%E0%A4%A", "");
    expect(status).to.equal(400);
    expect(answer).to.deep.equal({ error: "malformed URL" });
  });

  it("answers 500 until Redis has answered", async () => {
    const port = await findServicePort();
    const { ask } = await startAgent({
      REDIS_URL: `redis://127.0.0.1:${port}`,
    });
    for (const path of ["", "/feature"]) {
      const { status, answer } = await ask(path);
      expect(status).to.equal(500);
      expect(answer).to.include({ key: "feature", errorCode: "GENERAL" });
    }
  });

  it("is for this host alone", async () => {
    const { agent, ask } = await startAgent({ HOST: "0.0.0.0" });
    const path = "/ofrep/v1/evaluate/flags/feature";
    const foreign = { method: "POST", path, headers: { host: "evil.example" } };
    const { port } = new URL(agent.url);
    const refused = await send(Number(port), foreign);
    expect(refused.status).to.equal(403);
    const outer = Object.values(networkInterfaces())
      .flat()
      .find((it) => it?.family === "IPv4" && !it.internal);
    if (outer === undefined) return;
    const url = `http://${outer.address}:${port}`;
    expect((await fetch(url + path, { method: "POST" })).status).to.equal(403);
    expect((await fetch(`${url}/healthz`)).status).to.equal(200);
    expect((await ask("/feature")).status).not.to.equal(403);
  });
});
