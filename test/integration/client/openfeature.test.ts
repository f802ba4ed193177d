import {
  ErrorCode,
  OpenFeature,
  ProviderEvents,
  type Client,
  type EventDetails,
  ProviderStatus,
} from "@openfeature/server-sdk";
import { expect } from "chai";
import { createFlags } from "../../../lib/client/client.js";
import { SerinProvider } from "../../../lib/client/openfeature.js";
import { Ledger } from "../../../lib/flag/ledger.js";
import { onCleanup } from "../../support/cleanup.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { waitFor } from "../../support/wait-for.js";

const FLIP = { by: "operator", reason: "a test", data: {} } as const;

/** A client of the real SDK, with the events that it received. */
async function connect(provider: SerinProvider) {
  const domain = `test-${Math.random()}`;
  await OpenFeature.setProviderAndWait(domain, provider);
  onCleanup(() => OpenFeature.close());
  const client = OpenFeature.getClient(domain);
  const events: [ProviderEvents, EventDetails | undefined][] = [];
  for (const event of [
    ProviderEvents.ConfigurationChanged,
    ProviderEvents.Stale,
    ProviderEvents.Ready,
  ])
    client.addHandler(event, (details) => void events.push([event, details]));
  return { client, events };
}

async function start() {
  const { redis, keys } = openTestRedis();
  const options = { redisUrl: redisUrl(), keyPrefix: keys.prefix };
  const { client, events } = await connect(new SerinProvider(options));
  return { redis, keys, client, events, ledger: new Ledger(redis, keys) };
}

const errorOf = async (client: Client, name: string) => {
  const { value, errorCode } = await client.getBooleanDetails(name, true);
  return { value, errorCode };
};

describe("serin/openfeature", () => {
  it("resolves a flag with variant, reason and the last flip", async () => {
    const { client, ledger } = await start();
    await ledger.flip("new-checkout", { ...FLIP, value: false });
    await ledger.flip("new-checkout", { ...FLIP, value: true });
    const details = await client.getBooleanDetails("new-checkout", false);
    expect(details).to.deep.include({
      flagKey: "new-checkout",
      value: true,
      variant: "on",
      reason: "STATIC",
    });
    const { by, at, confirmedAgoMs } = details.flagMetadata;
    expect(by).to.equal("operator");
    expect(at).to.match(/^\d{4}-.*Z$/);
    expect(confirmedAgoMs).to.be.within(0, 5000);
  });

  it("resolves a further flag as disabled while the canary is stopped", async () => {
    const { client, ledger } = await start();
    await ledger.flip("feature", { ...FLIP, value: false });
    await waitFor("the stop", async () => {
      return !(await client.getBooleanValue("feature", true));
    });
    expect(await client.getBooleanDetails("new-checkout", true)).to.include({
      value: false,
      variant: "off",
      reason: "DISABLED",
    });
  });

  it("returns the default for a flag that nobody has set", async () => {
    const { client } = await start();
    expect(await errorOf(client, "new-checkout")).to.deep.equal({
      value: true,
      errorCode: ErrorCode.FLAG_NOT_FOUND,
    });
  });

  it("reports a type mismatch for strings, numbers and objects", async () => {
    const { client } = await start();
    const mismatch = { errorCode: ErrorCode.TYPE_MISMATCH };
    for (const details of [
      await client.getStringDetails("feature", "a"),
      await client.getNumberDetails("feature", 1),
      await client.getObjectDetails("feature", {}),
    ])
      expect(details).to.include(mismatch);
  });

  it("emits which flags have changed", async () => {
    const { client, events, ledger } = await start();
    await client.getBooleanValue("new-checkout", false);
    await ledger.flip("feature", { ...FLIP, value: false });
    const change = await waitFor("the change", () =>
      events.find(([event]) => event === ProviderEvents.ConfigurationChanged),
    );
    expect(change[1]?.flagsChanged).to.have.members([
      "feature",
      "new-checkout",
    ]);
  });

  it("is ready without Redis, stale then, and ready when Redis is there", async () => {
    const port = await findServicePort();
    const { client, events } = await connect(
      new SerinProvider({
        redisUrl: `redis://127.0.0.1:${port}`,
        timeoutMs: 10,
        onWarning: () => undefined,
      }),
    );
    expect(await errorOf(client, "feature")).to.deep.equal({
      value: true,
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    await waitFor(
      "stale",
      () => client.providerStatus === ProviderStatus.STALE,
    );
    const server = await startPrivateRedis({ port });
    onCleanup(server.stop);
    await waitFor(
      "ready",
      () => client.providerStatus === ProviderStatus.READY,
    );
    expect(await client.getBooleanValue("feature", false)).to.equal(true);
    const names = events.map(([event]) => event);
    expect(names.slice(-2)).to.deep.equal([
      ProviderEvents.Stale,
      ProviderEvents.Ready,
    ]);
  });

  it("keeps the last value as stale when Redis has gone", async () => {
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    const { client } = await connect(
      new SerinProvider({ redisUrl: server.url, onWarning: () => undefined }),
    );
    await server.stop();
    await waitFor(
      "stale",
      () => client.providerStatus === ProviderStatus.STALE,
    );
    expect(await client.getBooleanDetails("feature", false)).to.include({
      value: true,
      reason: "STALE",
    });
  });

  it("leaves flags open that it was given", async () => {
    const { keys, redis } = openTestRedis();
    const flags = await createFlags({
      redisUrl: redisUrl(),
      keyPrefix: keys.prefix,
    });
    onCleanup(() => flags.close());
    const provider = new SerinProvider(flags);
    await connect(provider);
    await provider.onClose();
    await redis.set(keys.flag("feature"), "false");
    await waitFor("the flip", () => !flags.isOn("feature", true));
  });
});
