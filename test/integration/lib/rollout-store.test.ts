import { expect } from "chai";
import {
  decide,
  type Change,
  type Request,
} from "../../../lib/rollout/transitions.js";
import { RolloutStore } from "../../../lib/rollout/rollout-store.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { openRollout, SPEC, START } from "../../support/redis/test-rollout.js";

const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';

/** How a rollout gets into each phase. */
const INTO: Record<string, Request[]> = {
  Progressing: [START, { verb: "promote" }],
  Paused: [START, { verb: "promote" }, { verb: "promote" }],
  Promoting: [START, { verb: "promote", full: true }],
  Healthy: [START, { verb: "promote", full: true }, { verb: "finish" }],
  Aborted: [START, { verb: "abort" }],
};

/** Phase, step and weight after each request in each phase; nothing where it is refused. */
const TABLE: Record<
  string,
  Partial<Record<string, [string, number, string]>>
> = {
  Progressing: {
    promote: ["Paused", 2, "7.5"],
    full: ["Promoting", 4, "7.5"],
    pause: ["Paused", 1, "7.5"],
    abort: ["Aborted", 1, "0"],
    hold: ["Progressing", 1, "7.5"],
  },
  Paused: {
    promote: ["Progressing", 3, "25"],
    full: ["Promoting", 4, "7.5"],
    resume: ["Progressing", 3, "25"],
    abort: ["Aborted", 2, "0"],
  },
  Promoting: { abort: ["Aborted", 4, "0"], finish: ["Healthy", 4, "none"] },
  Healthy: {},
  Aborted: { retry: ["Progressing", 0, "0"] },
};
const REQUESTS: Record<string, Request> = {
  promote: { verb: "promote" },
  full: { verb: "promote", full: true },
  pause: { verb: "pause" },
  resume: { verb: "resume" },
  abort: { verb: "abort" },
  retry: { verb: "retry" },
  checked: { verb: "checked", passed: true },
  hold: { verb: "hold", by: "evidence", because: "the evidence is 1.2" },
  finish: { verb: "finish" },
};

describe("rollout store", () => {
  let test: TestRedis;
  let held: ReturnType<typeof openRollout>;
  const flag = () => test.redis.get(test.keys.flag("feature"));
  const weight = () => test.redis.get(test.keys.flagWeight("feature"));
  const setHash = (fields: Record<string, string>) =>
    test.redis.hset(test.keys.rollout("feature"), fields);
  const dump = async () => [
    await test.redis.hgetall(test.keys.rollout("feature")),
    await test.redis.hgetall(test.keys.flagInfo("feature")),
    ...[await flag(), await weight()],
    ...[await test.events(), await test.outbox()],
  ];
  const enter = async (phase: string) => {
    for (const request of INTO[phase]!) await held.ask(request);
  };
  const changeFor = async (request: Request): Promise<Change> => {
    const reading = await held.store.read();
    const decision = decide(reading, request, reading.now);
    if ("refusal" in decision) throw new Error(decision.refusal);
    return decision.change;
  };

  beforeEach(() => {
    test = openTestRedis();
    held = openRollout(test);
  });

  it("starts a rollout: flag, weight and one event in one step", async () => {
    await test.redis.set(test.keys.flag("feature"), "false");
    expect(await held.ask(START)).to.equal(
      "rollout 1 of 0.3.0 has started: step 1 of 4, canary takes 0 %",
    );
    expect([await flag(), await weight()]).to.deep.equal(["true", "0"]);
    const rollout = await held.rollout();
    expect(rollout).to.deep.include({
      ...{ id: 1, candidate: "0.3.0", stable: "0.2.0", phase: "Progressing" },
      ...{ step: 0, weight: 0, checked: false, heldBy: null, outcome: null },
      ...{ by: "operator", spec: SPEC },
    });
    expect(rollout.stepStartedAt).to.be.closeTo(Date.now(), 5000);
    const [event, ...others] = await test.events();
    expect(others).to.be.empty;
    expect(event).to.deep.include({ kind: "flip", by: "operator" });
    expect(event!.data).to.deep.equal({
      ...{ value: true, flag: "feature", rollout: 1, phase: "Progressing" },
      ...{ step: 0, weight: 0, candidate: "0.3.0", stable: "0.2.0" },
    });
    const { event: last } = await test.redis.hgetall(
      test.keys.flagInfo("feature"),
    );
    expect(last).to.equal(event!.id);
  });

  it("starts no flip when the flag is on already", async () => {
    await held.ask(START);
    const [event, ...others] = await test.events();
    expect(event).to.include({ kind: "rollout" });
    expect(event!.data).not.to.have.property("value");
    expect(others).to.be.empty;
    expect(await test.outbox()).to.be.empty;
  });

  for (const [phase, possible] of Object.entries(TABLE))
    for (const [name, request] of Object.entries(REQUESTS)) {
      const expected = possible[name];
      it(`${expected ? "takes" : "refuses"} ${name} while ${phase}`, async () => {
        await enter(phase);
        const before = await dump();
        const events = await test.events();
        const told = await held.ask(request);
        if (expected === undefined) {
          expect(told).to.match(
            new RegExp(`^refused: nothing to \\w+: rollout 1 (is|was) \\w+`),
          );
          expect(await dump()).to.deep.equal(before);
          return;
        }
        const now = await held.rollout();
        expect([now.phase, now.step, (await weight()) ?? "none"]).to.deep.equal(
          expected,
        );
        expect(await flag()).to.equal(
          now.phase === "Aborted" ? "false" : "true",
        );
        expect((await test.events()).length).to.equal(events.length + 1);
      });
    }

  it("says what became of an aborted rollout when it is promoted", async () => {
    await enter("Aborted");
    await setHash({ at: String(Date.UTC(2026, 2, 1, 14, 3)) });
    expect(await held.ask({ verb: "promote" })).to.equal(
      "refused: nothing to promote: rollout 1 was aborted at 2026-03-01 14:03:00 UTC",
    );
  });

  it("refuses every verb when there is no rollout", async () => {
    for (const request of Object.values(REQUESTS))
      expect(await held.ask(request)).to.equal("refused: there is no rollout");
    expect(await test.events()).to.be.empty;
  });

  it("makes one change and one conflict of two writers at once", async () => {
    await enter("Progressing");
    const change = await changeFor({ verb: "pause" });
    const other = new RolloutStore(
      openTestRedis(test).redis,
      test.keys,
      "feature",
    );
    const outcomes = await Promise.all(
      [held.store, other].map((store) =>
        store.apply(change, { by: "operator", reason: "both" }),
      ),
    );
    expect(outcomes.toSorted()).to.deep.equal(["changed", "conflict"]);
    expect(await test.events()).to.have.length(3);
  });

  it("starts one of two rollouts at once", async () => {
    const change = await changeFor(START);
    const outcomes = await Promise.all(
      [1, 2].map(() =>
        held.store.apply(change, { by: "operator", reason: "both" }),
      ),
    );
    expect(outcomes.toSorted()).to.deep.equal(["changed", "conflict"]);
  });

  it("writes nothing when another monitor holds the lease", async () => {
    await enter("Progressing");
    await test.redis.set(test.keys.lease, FENCE.replace("3", "4"));
    const before = await dump();
    expect(
      await held.ask({ verb: "promote" }, { by: "monitor", fence: FENCE }),
    ).to.equal("fenced");
    expect(await dump()).to.deep.equal(before);
  });

  it("writes nothing when the flag was flipped since the named event", async () => {
    await enter("Aborted");
    const before = await dump();
    expect(await held.ask({ verb: "retry" }, { supersedes: "1-1" })).to.equal(
      "conflict",
    );
    expect(await dump()).to.deep.equal(before);
  });

  it("supersedes an unfinished rollout, and refuses to start the same one twice", async () => {
    await enter("Progressing");
    expect(await held.ask(START)).to.match(
      /^refused: rollout 1 of 0\.3\.0 was started already: it is Progressing/,
    );
    expect(await held.ask({ ...START, candidate: "0.4.0" })).to.equal(
      "rollout 2 of 0.4.0 has started, instead of rollout 1: step 1 of 4, canary takes 0 %",
    );
    const events = (await test.events()).slice(-2);
    expect(events.map(({ data }) => [data.rollout, data.phase])).to.deep.equal([
      [1, "Superseded"],
      [2, "Progressing"],
    ]);
    expect(await weight()).to.equal("0");
  });

  it("resumes a paused step with the time that it had left", async () => {
    await enter("Progressing");
    await setHash({ stepStartedAt: String(Date.now() - 40_000) });
    await held.ask({ verb: "pause" });
    await setHash({ pausedAt: String(Date.now() - 30_000) });
    await held.ask({ verb: "resume" });
    const { phase, step, stepStartedAt, pausedAt } = await held.rollout();
    expect([phase, step, pausedAt]).to.deep.equal(["Progressing", 1, null]);
    expect(Date.now() - stepStartedAt).to.be.closeTo(10_000, 3000);
  });

  it("notes a check that passed, and aborts when one failed", async () => {
    await held.ask(START);
    await held.ask({ verb: "checked", passed: true });
    expect((await held.rollout()).checked).to.equal(true);
    await held.ask(
      { verb: "checked", passed: false },
      { reason: "the check failed", data: { rule: "check" } },
    );
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "check", reason: "the check failed" },
    });
  });

  it("takes no check while the canary runs another release, and forgets one from before", async () => {
    await held.ask(START);
    await held.ask({ verb: "checked", passed: true });
    await held.ask({ verb: "hold", by: "version", because: "it runs 0.2.0" });
    expect(await held.ask({ verb: "checked", passed: true })).to.match(
      /^refused: nothing to check: rollout 1 is Progressing/,
    );
    await held.ask({ verb: "begin" });
    expect((await held.rollout()).checked).to.equal(false);
  });

  it("notifies people of a pause, of the last step's end and of the rollout's", async () => {
    await enter("Healthy");
    await held.ask({ ...START, candidate: "0.4.0" });
    await held.ask({ verb: "promote" });
    await held.ask({ verb: "promote" });
    const told = (await test.outbox()).map(({ reason }) => reason);
    expect(told).to.deep.equal([
      "rollout 1 of 0.3.0: all steps are done, prod can get it",
      "rollout 1 of 0.3.0 is Healthy: prod runs it",
      "rollout 2 of 0.4.0 waits for a person: step 3 of 4, canary takes 7.5 %",
    ]);
  });

  describe("abort", () => {
    for (const phase of ["Progressing", "Paused", "Promoting"]) {
      it(`follows from a flip to false while ${phase}`, async () => {
        await enter(phase);
        const { length } = await test.events();
        await test.ledger.flip("feature", {
          ...{ value: false, by: "monitor", reason: "too slow" },
          data: { rule: "latency", none: [] },
        });
        expect(await held.rollout()).to.include({
          ...{ phase: "Aborted", weight: 0, outcome: "latency" },
          ...{ by: "monitor", reason: "too slow" },
        });
        expect(await weight()).to.equal("0");
        const [event, ...others] = (await test.events()).slice(length);
        expect(others).to.be.empty;
        expect(event!.data).to.deep.equal({
          ...{ rollout: 1, phase: "Aborted", flag: "feature", value: false },
          ...{ rule: "latency", none: [] },
        });
      });

      it(`follows from redis-cli, once the monitor adopts it, while ${phase}`, async () => {
        await enter(phase);
        await test.redis.set(test.keys.lease, FENCE);
        await test.redis.set(test.keys.flag("feature"), "false");
        const seen = { value: false, reason: "set directly", fence: FENCE };
        expect(await test.ledger.adopt("feature", seen)).to.equal("changed");
        expect(await held.rollout()).to.include({
          ...{ phase: "Aborted", by: "operator", outcome: "operator" },
        });
        expect(await weight()).to.equal("0");
      });
    }

    it("works when the flag is false already, and is then the last flip", async () => {
      await enter("Progressing");
      await test.redis.set(test.keys.flag("feature"), "false");
      await test.redis.set(test.keys.lease, FENCE);
      await held.ask({ verb: "abort" }, { reason: "not today" });
      expect(await held.rollout()).to.include({ phase: "Aborted" });
      const seen = { value: false, reason: "set directly", fence: FENCE };
      expect(await test.ledger.adopt("feature", seen)).to.equal("unchanged");
      expect((await test.events()).at(-1)).to.include({ reason: "not today" });
    });

    it("follows from an operator's flip when the flag is false already", async () => {
      await enter("Progressing");
      await test.redis.set(test.keys.flag("feature"), "false");
      const off = { by: "operator", reason: "off", data: {} } as const;
      expect(
        await test.ledger.flip("feature", { ...off, value: false }),
      ).to.equal("changed");
      expect(await held.rollout()).to.include({ phase: "Aborted" });
    });

    it("follows from a false flag that is written back", async () => {
      await enter("Progressing");
      await test.redis.set(test.keys.lease, FENCE);
      await test.redis.del(test.keys.flag("feature"));
      const known = { value: false, reason: "written back", fence: FENCE };
      await test.ledger.restore("feature", known);
      expect(await held.rollout()).to.include({ phase: "Aborted" });
    });

    it("leaves a rollout that is over as it is", async () => {
      await enter("Healthy");
      await test.ledger.flip("feature", {
        ...{ value: false, by: "operator", reason: "off", data: {} },
      });
      expect(await held.rollout()).to.include({ phase: "Healthy" });
      expect(await weight()).to.be.null;
    });

    it("is no condition of a flip: a key of another type changes nothing", async () => {
      await test.redis.set(test.keys.rollout("feature"), "garbage");
      expect(
        await test.ledger.flip("feature", {
          ...{ value: false, by: "operator", reason: "off", data: {} },
        }),
      ).to.equal("changed");
    });
  });

  it("names a spec of a newer Serin, refuses its verbs and can abort it", async () => {
    await enter("Progressing");
    const raw = JSON.parse(
      (await test.redis.hget(test.keys.rollout("feature"), "spec"))!,
    ) as { rollout: object };
    const newer = { ...raw, rollout: { ...raw.rollout, mirror: true } };
    await setHash({ spec: JSON.stringify(newer) });
    const problem =
      "rollout 1 cannot be read: a newer Serin started it (its spec has mirror)";
    expect((await held.store.read()).problem).to.equal(problem);
    expect(await held.ask({ verb: "promote" })).to.equal(`refused: ${problem}`);
    await held.ask({ verb: "abort" }, { reason: "not today" });
    expect([await flag(), await weight()]).to.deep.equal(["false", "0"]);
    expect(await held.ask({ ...START, candidate: "0.4.0" })).to.match(
      /^rollout 2 of 0\.4\.0 has started/,
    );
  });

  for (const [field, value] of [
    ["phase", "Sideways"],
    ["step", "99"],
    ["weight", "250"],
    ["stepStartedAt", "soon"],
    ["pausedAt", "9000000000000000"],
    ["spec", "{"],
    ["id", '7"}'],
  ] as const)
    it(`says what is malformed about ${field}, and starts the next rollout`, async () => {
      await enter("Progressing");
      await setHash({ [field]: value });
      const reading = await held.store.read();
      expect(reading.rollout).to.be.undefined;
      expect(reading.problem).to.match(/^rollout (1|\?) cannot be read: /);
      expect(await held.ask(START)).to.include("has started");
      expect((await held.rollout()).phase).to.equal("Progressing");
    });

  it("leaves no field of an earlier rollout", async () => {
    await enter("Aborted");
    await setHash({ stray: "x" });
    await held.ask(START);
    expect(
      await test.redis.hget(test.keys.rollout("feature"), "stray"),
    ).to.equal(null);
  });
});
