import { expect } from "chai";
import { ActionLinks } from "../../../apps/monitor/alert/message/action-link.js";
import type { MonitorProgram } from "../../support/programs/monitor-program.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const TOKEN = "s3cret-t0ken";
const DASHBOARD = "https://ops.example.com/serin";
const SETTINGS = { ADMIN_TOKEN: TOKEN, DASHBOARD_URL: DASHBOARD };

describe("links in a monitor's mail", () => {
  let test: TestRedis;
  let monitor: MonitorProgram;

  const readMail = async (count: number) => {
    const mails = () => monitor.log.flatMap(({ mail }) => mail ?? []);
    await waitFor("the mail", () => mails().length >= count);
    return (mails()[count - 1] as { text: string }).text;
  };
  /** The mail's links by label, as paths of the monitor. */
  const linksIn = (text: string) =>
    Object.fromEntries(
      [
        ...text.matchAll(
          /^([^:\n]+): https:\/\/ops\.example\.com\/serin(\S+)$/gm,
        ),
      ].map(([, label, path]) => [label, `${monitor.url}${path}`]),
    ) as Record<string, string>;
  const flip = (value: boolean, reason: string) =>
    test.ledger.flip("feature", {
      ...{ value, by: "monitor", reason },
      data: { rule: "verdict", version: "0.2.0" },
    });
  const flag = () => test.redis.get(test.keys.flag("feature"));
  const post = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, { method: "POST", headers });
    return { status: answer.status, page: await answer.text() };
  };
  const get = async (url: string) => {
    const answer = await fetch(url);
    const { status, headers } = answer;
    return { status, headers, page: await answer.text() };
  };
  /** Stops the canary, as the monitor does. @returns the links of the mail about it */
  const stop = async (mails = 1) => {
    await flip(false, "canary 2.1 × slower than prod on GET /cart");
    return linksIn(await readMail(mails));
  };

  beforeEach(async () => {
    test = openTestRedis();
    monitor = await startLeader(test, SETTINGS);
  });

  it("are three after a stop, below DASHBOARD_URL", async () => {
    expect(Object.keys(await stop())).to.deep.equal([
      "Keep it stopped",
      "Let it in again",
      "Open the page at that moment",
    ]);
  });

  for (const [what, settings] of [
    ["DASHBOARD_URL", { ADMIN_TOKEN: TOKEN }],
    ["ADMIN_TOKEN", { DASHBOARD_URL: DASHBOARD }],
  ] as const)
    it(`change nothing without ${what}`, async () => {
      test = openTestRedis();
      monitor = await startLeader(test, settings);
      await flip(false, "slow");
      expect(await readMail(1)).to.not.include("/actions/");
      expect((await get(`${monitor.url}/actions/resume`)).status).to.equal(404);
    });

  it("ask first, and let the canary in without the admin token, once", async () => {
    const links = await stop();
    const url = links["Let it in again"]!;
    const asked = await get(url);
    expect(asked.status).to.equal(200);
    expect(asked.page).to.include("<h1>Let it in again?</h1>");
    expect(asked.page).to.include(
      "The message was: 0.2.0 stopped: 2.1 × slower",
    );
    expect(asked.page).to.include("feature is off now by monitor: ");
    expect(await flag()).to.equal("false");

    const done = await post(url);
    expect(done.status).to.equal(200);
    expect(done.page).to.include("The canary is let in again.");
    expect(await flag()).to.equal("true");
    const last = (await test.events()).at(-1)!;
    expect(last).to.deep.include({ kind: "flip", by: "operator" });
    expect(last.reason).to.match(
      /^“Let it in again” was chosen in the message about event \d+-\d+$/,
    );

    for (const again of [await get(url), await post(url)]) {
      expect(again.status).to.equal(410);
      expect(again.page).to.include("This link was used already.");
    }
  });

  it("do it once when two people confirm at the same time", async () => {
    const url = (await stop())["Let it in again"]!;
    const answers = await Promise.all([post(url), post(url), post(url)]);
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([200, 410, 410]);
  });

  it("keep a canary stopped that the monitor would let in again", async () => {
    const { status, page } = await post((await stop())["Keep it stopped"]!);
    expect(status).to.equal(200);
    expect(page).to.include("The canary stays stopped.");
    const { by, value } = await test.redis.hgetall(
      test.keys.flagInfo("feature"),
    );
    expect({ by, value }).to.deep.equal({ by: "operator", value: "false" });
  });

  it("let nothing in that was stopped again since, and stay unused", async () => {
    const url = (await stop())["Let it in again"]!;
    await flip(true, "another version");
    const later = await stop(3);
    const { status, page } = await post(url);
    expect(status).to.equal(409);
    expect(page).to.include(
      "The flag was switched or the rollout moved on since the message",
    );
    expect(await flag()).to.equal("false");
    expect((await get(url)).status).to.equal(200);
    expect((await post(later["Let it in again"]!)).status).to.equal(200);
  });

  it("stop a canary that was let in again", async () => {
    await stop();
    await flip(true, "another version");
    const links = linksIn(await readMail(2));
    expect(Object.keys(links)[0]).to.equal("Stop the canary");
    expect((await post(links["Stop the canary"]!)).status).to.equal(200);
    expect(await flag()).to.equal("false");
  });

  describe("about a rollout", () => {
    const PROMOTE = "Promote to the next step";
    const steps = [
      { weight: 5, for: "60s" },
      { pause: true },
      { weight: 25, for: "60s" },
      { pause: true },
    ];
    const request = (verb: string, body: object = {}) =>
      fetch(`${monitor.url}/api/rollout/${verb}`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify(body),
      });
    const readRollout = async () => (await monitor.state()).rollout!;
    const start = async (candidate: string) => {
      const spec = { rollout: { steps } };
      await request("start", { candidate, stable: "0.2.0", spec });
    };
    /** A rollout that waits for a person. @returns the links of the mail about it */
    const pause = async (candidate = "0.3.0") => {
      const already = monitor.log.filter(({ mail }) => mail).length;
      await start(candidate);
      await request("promote");
      return linksIn(await readMail(already + 1));
    };

    it("promote it where the message left it, once", async () => {
      const links = await pause();
      expect(Object.keys(links)).to.deep.equal([
        ...[PROMOTE, "Abort the rollout", "Open the page at that moment"],
      ]);
      expect((await get(links[PROMOTE]!)).page).to.include("Promote");
      expect((await readRollout()).step).to.equal(1);
      const { status, page } = await post(links[PROMOTE]!);
      expect(status).to.equal(200);
      expect(page).to.include("step 3 of 4, canary takes 25 %");
      expect((await readRollout()).step).to.equal(2);
      expect((await post(links[PROMOTE]!)).status).to.equal(410);
      expect((await readRollout()).step).to.equal(2);
    });

    it("change nothing once it has moved on", async () => {
      const links = await pause();
      await request("promote");
      expect((await post(links[PROMOTE]!)).status).to.equal(409);
      expect((await readRollout()).step).to.equal(2);
    });

    it("change nothing once it was retried", async () => {
      const links = await pause();
      await request("abort");
      await request("retry");
      for (const label of [PROMOTE, "Abort the rollout"])
        expect((await post(links[label]!)).status).to.equal(409);
      expect(await readRollout()).to.include({ step: 0, phase: "Progressing" });
    });

    it("abort it, but not the one after it", async () => {
      const links = await pause();
      await start("0.4.0");
      expect((await post(links["Abort the rollout"]!)).status).to.equal(409);
      expect(await readRollout()).to.include({ id: 2, phase: "Progressing" });
      const newer = await pause("0.5.0");
      expect((await post(newer["Abort the rollout"]!)).status).to.equal(200);
      expect(await readRollout()).to.include({ id: 3, phase: "Aborted" });
      expect(await flag()).to.equal("false");
    });
  });

  it("are refused when anything in them was changed", async () => {
    const { "Let it in again": resume = "", "Keep it stopped": keep = "" } =
      await stop();
    for (const url of [
      resume.replace(/signature=./, "signature="),
      resume.replace(/signature=.*/, ""),
      resume.replace(/event=\d/, "event=9"),
      resume.replace(/event=[\d-]+&/, ""),
      `${resume}&event=1-1`,
      keep.replace("/keep", "/resume"),
      keep.replace("/keep", "/constructor"),
    ])
      for (const answer of [await get(url), await post(url)])
        expect(answer.status, url).to.equal(403);
    expect(await flag()).to.equal("false");
  });

  it("end a day after the event, and with the token", async () => {
    await stop();
    const scope = `${test.keys.prefix}feature`;
    const dayAgo = `${Date.now() - 24 * 3_600_000 - 1000}-0`;
    const sign = (token: string) =>
      new ActionLinks(token, scope).sign({ choice: "resume", event: dayAgo });
    const old = await post(`${monitor.url}/${sign(TOKEN)}`);
    expect(old.status).to.equal(410);
    expect(old.page).to.include("Links work for 24 hours");
    const foreign = await post(`${monitor.url}/${sign("another-token")}`);
    expect(foreign.status).to.equal(403);
  });

  it("are refused to another site's page, and may not be framed or kept", async () => {
    const url = (await stop())["Let it in again"]!;
    const { status } = await post(url, { origin: "https://evil.example" });
    expect(status).to.equal(403);
    const { headers } = await get(url);
    expect(headers.get("cache-control")).to.equal("no-store");
    expect(headers.get("content-security-policy"))
      .to.include("default-src 'none'")
      .and.include("frame-ancestors 'none'");
  });

  it("open the page at that moment, with the events around it", async () => {
    const links = await stop();
    await flip(true, "another <version>");
    const { status, page } = await get(links["Open the page at that moment"]!);
    expect(status).to.equal(200);
    expect(page).to.include("0.2.0 stopped: 2.1 × slower");
    expect(page).to.include(
      "flip by monitor: feature is on: another &lt;version&gt;",
    );
    for (const id of ["1-1", "none"])
      expect((await get(`${monitor.url}/events/${id}`)).status).to.equal(404);
  });
});
