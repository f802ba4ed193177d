import { expect } from "chai";
import { originOf, typableAddress } from "../../../apps/launcher/addresses.js";
import { LaunchError } from "../../../apps/launcher/config.js";
import { describeEvent } from "../../../lib/flag/ledger-event.js";
import { formatLogLine } from "../../../apps/launcher/processes/log-tail.js";
import { previewMail } from "../../../apps/launcher/mailbox.js";
import {
  describeTraffic,
  parseRequests,
  summarizeRequests,
} from "../../../apps/launcher/steering/traffic.js";

describe("launcher texts", () => {
  it("describe a flip by the new state of the flag", () => {
    const flip = { kind: "flip", reason: "too slow" } as const;
    expect(
      describeEvent({ ...flip, data: { flag: "feature", value: false } }),
    ).to.equal("feature is off: too slow");
    expect(
      describeEvent({ ...flip, data: { flag: "feature", value: true } }),
    ).to.equal("feature is on: too slow");
  });

  it("describe any other event by its reason", () =>
    expect(
      describeEvent({ kind: "breach", reason: "too slow", data: {} }),
    ).to.equal("too slow"));

  it("report the requests by side and the p95", () => {
    const served = { canary: 50, prod: 150 };
    const good = { served, unanswered: 0, failed: 0, withoutFeature: 0 };
    expect(describeTraffic({ ...good, p95Ms: 3.14159 })).to.equal(
      "prod 150, canary 50; p95 3.1 ms",
    );
    const none = { ...good, served: {}, unanswered: 2, p95Ms: undefined };
    expect(describeTraffic(none)).to.equal("no answer 2");
  });

  it("tell failed requests from those without the feature", () =>
    expect(
      describeTraffic({
        ...{ served: { prod: 175 }, unanswered: 0, p95Ms: 46 },
        ...{ failed: 3, withoutFeature: 89 },
      }),
    ).to.equal("prod 175; 3 failed; 89 without the feature; p95 46 ms"));

  it("format log lines for people", () => {
    const line = { level: "warn", time: "…", msg: "Redis is away" };
    expect(formatLogLine(JSON.stringify(line))).to.equal("warn: Redis is away");
    expect(
      formatLogLine(JSON.stringify({ ...line, err: { message: "refused" } })),
    ).to.equal("warn: Redis is away: refused");
    expect(formatLogLine("SyntaxError: no")).to.equal("SyntaxError: no");
    expect(formatLogLine('{"other":1}')).to.equal('{"other":1}');
  });

  it("preview a mail by its first paragraphs, truncated", () => {
    const text = ["one\ntwo", "x".repeat(300), "4", "5", "cd:\n  6\n  7", "8"];
    expect(previewMail({ text: text.join("\n\n") })).to.deep.equal([
      "one",
      "two",
      `${"x".repeat(199)}…`,
      "4",
      "5",
    ]);
    expect(previewMail({ text: "1\n2\n3\n4\n5\n6\n7" })).to.deep.equal([
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
    ]);
  });

  it("show loopback addresses as localhost", () => {
    expect(typableAddress("0.0.0.0", 80)).to.equal("localhost:80");
    expect(typableAddress("::1", 8080)).to.equal("localhost:8080");
    expect(typableAddress("10.0.0.7", 8080)).to.equal("10.0.0.7:8080");
    expect(originOf("fe80::1", 8080)).to.equal("http://[fe80::1]:8080");
  });
});

describe("launcher requests", () => {
  it("are read from a list and summarized", () => {
    const requests = parseRequests("GET /, POST /set/a?b=1, GET /");
    expect(requests[1]).to.deep.equal({ method: "POST", path: "/set/a?b=1" });
    expect(summarizeRequests(requests)).to.equal(
      "20 requests/s for 10 minutes: GET /, POST /set/a?b=1",
    );
  });

  it("are rejected when malformed", () => {
    for (const text of ["", "GET", "get /", "GET set", "GET /,"])
      expect(() => parseRequests(text), text).to.throw(LaunchError);
  });
});
