import { expect } from "chai";
import { startFleet } from "../../support/monitor/fleet.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { openRollout, START } from "../../support/redis/test-rollout.js";

const TOKEN = "only-in-this-test";
const SPEC = { rollout: { steps: [{ weight: 7.5, for: "60s" }] } };
const BODY = { candidate: "0.3.0", stable: "0.2.0", spec: SPEC };

describe("monitor's API of rollouts", () => {
  let test: TestRedis;
  let url: string;
  let state: () => Promise<{ rollout?: unknown }>;

  const ask = async (verb: string, body?: object, token = TOKEN) => {
    const response = await fetch(`${url}/api/rollout/${verb}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    return { status: response.status, answer };
  };
  const read = async () => {
    const response = await fetch(`${url}/api/rollout`);
    return (await response.json()) as {
      current: Record<string, unknown> | null;
      problem: string | null;
      history: { rollout: number; phase: string }[];
    };
  };

  beforeEach(async () => {
    test = openTestRedis();
    const monitor = await startLeader(test, { ADMIN_TOKEN: TOKEN });
    url = monitor.url;
    state = monitor.state;
  });

  it("has none at first, then starts, steers and tells one", async () => {
    expect(await read()).to.deep.equal({
      ...{ current: null, problem: null, history: [] },
    });
    expect((await state()).rollout).to.equal(null);
    const started = await ask("start", BODY);
    expect(started.status).to.equal(200);
    expect(started.answer).to.deep.equal({
      sentence:
        "rollout 1 of 0.3.0 has started: step 1 of 1, canary takes 7.5 %",
      effect: "no proxy reads this Redis: nothing was changed",
      confirmed: false,
    });
    expect((await read()).current).to.deep.include({
      ...{ id: 1, phase: "Progressing", step: 0, weight: 7.5 },
    });
    expect((await state()).rollout).to.deep.include({ id: 1 });
    expect((await ask("pause", { reason: "lunch" })).answer.sentence).to.equal(
      "rollout 1 of 0.3.0 is paused: step 1 of 1, canary takes 7.5 %",
    );
    expect((await test.events()).at(-1)!.reason).to.match(/: lunch$/);
    expect((await ask("resume")).status).to.equal(200);
    expect((await ask("promote", { full: true })).status).to.equal(200);
    expect((await ask("abort", { reason: "no" })).status).to.equal(200);
    const { history } = await read();
    expect(history).to.have.length(1);
    expect(history[0]).to.include({ rollout: 1, phase: "Aborted" });
  });

  it("refuses what makes no sense, and changes nothing", async () => {
    expect((await ask("promote")).answer).to.deep.equal({
      error: "there is no rollout",
    });
    await ask("start", BODY);
    const { length } = await test.events();
    for (const [verb, body, status, error] of [
      ["retry", {}, 409, /^nothing to retry: rollout 1 is Progressing/],
      ["start", BODY, 409, /was started already/],
      ["start", { candidate: "x" }, 400, /^stable: /],
      ["explode", {}, 404, /^no verb "explode": there are start, promote/],
      ["toString", {}, 404, /no verb/],
      ["pause", { reason: "" }, 400, /^reason: /],
      ["promote", { full: "yes" }, 400, /^full: /],
      ["hold", {}, 404, /no verb/],
      [
        "start",
        {
          ...BODY,
          spec: { rollout: { steps: [{ weight: 7.555, for: "1s" }] } },
        },
        400,
        /^spec\.rollout\.steps\.0\.weight: a percentage from 0 to 100/,
      ],
    ] as const) {
      const refused = await ask(verb, body);
      expect(refused.status, verb).to.equal(status);
      expect(refused.answer.error).to.match(error);
    }
    expect((await ask("abort", {}, "wrong")).status).to.equal(401);
    expect(await test.events()).to.have.length(length);
  });

  it("retries an aborted rollout when the flag is switched on, and hears the proxies", async () => {
    startFleet(test);
    const { ask: change, rollout } = openRollout(test);
    await change(START);
    await change({ verb: "promote" });
    await change({ verb: "abort" });
    const response = await fetch(`${url}/api/flags/feature`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ value: true, reason: "again" }),
    });
    expect(await response.json()).to.include({ value: true, changed: true });
    expect(await rollout()).to.include({
      ...{ phase: "Progressing", step: 0, weight: 0 },
    });
    // The monitor may hold it at once, because the fleet runs another release.
    const reasons = (await test.events()).map(({ reason }) => reason);
    expect(reasons).to.include("again");
  });
});
