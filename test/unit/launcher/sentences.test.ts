import { expect } from "chai";
import { originOf, typableAddress } from "../../../apps/launcher/addresses.js";
import { parseCommandLine } from "../../../apps/launcher/command-line.js";
import { describeEvent } from "../../../lib/wording/event-sentence.js";
import { formatLogLine } from "../../../apps/launcher/processes/log-tail.js";
import { previewMail } from "../../../apps/launcher/mailbox.js";
import { describeTraffic } from "../../../apps/launcher/traffic.js";

describe("launcher sentences", () => {
  it("begin with what a flip did", () => {
    const flip = { kind: "flip", reason: "too slow" } as const;
    expect(
      describeEvent({ ...flip, data: { flag: "feature", value: false } }),
    ).to.equal("feature is off: too slow");
    expect(
      describeEvent({ ...flip, data: { flag: "feature", value: true } }),
    ).to.equal("feature is on: too slow");
  });

  it("are the reason of any other event", () =>
    expect(
      describeEvent({ kind: "breach", reason: "too slow", data: {} }),
    ).to.equal("too slow"));

  it("tell who served the traffic, and how fast", () => {
    const served = { canary: 50, prod: 150 };
    expect(describeTraffic({ served, unanswered: 0, p95Ms: 3.14159 })).to.equal(
      "prod 150, canary 50; 95 of 100 within 3.1 ms",
    );
    expect(
      describeTraffic({ served: {}, unanswered: 2, p95Ms: undefined }),
    ).to.equal("no answer 2");
  });

  it("are what a log line says to people", () => {
    const line = { level: "warn", time: "…", msg: "Redis is away" };
    expect(formatLogLine(JSON.stringify(line))).to.equal("warn: Redis is away");
    expect(
      formatLogLine(JSON.stringify({ ...line, err: { message: "refused" } })),
    ).to.equal("warn: Redis is away: refused");
    expect(formatLogLine("SyntaxError: no")).to.equal("SyntaxError: no");
    expect(formatLogLine('{"other":1}')).to.equal('{"other":1}');
  });

  it("are the first lines of a mail, none of them endless", () => {
    const text = ["one", "", "two", "x".repeat(300), "4", "5", "6", "7"];
    expect(previewMail({ text: text.join("\n") })).to.deep.equal([
      "one",
      "two",
      `${"x".repeat(199)}…`,
      "4",
      "5",
      "6",
    ]);
  });

  it("say localhost where that is what people type", () => {
    expect(typableAddress("0.0.0.0", 80)).to.equal("localhost:80");
    expect(typableAddress("::1", 8080)).to.equal("localhost:8080");
    expect(typableAddress("10.0.0.7", 8080)).to.equal("10.0.0.7:8080");
    expect(originOf("fe80::1", 8080)).to.equal("http://[fe80::1]:8080");
  });
});

describe("launcher command line", () => {
  it("knows --traffic and --help", () => {
    const nothing = { help: false, traffic: false };
    expect(parseCommandLine([])).to.deep.include(nothing);
    expect(parseCommandLine(["--traffic"])).to.include({ traffic: true });
    expect(parseCommandLine(["-h"])).to.include({ help: true });
  });

  it("explains itself when given something else", () => {
    expect(() => parseCommandLine(["--trafic"])).to.throw(
      /--trafic[^]*PROXY_PORT/,
    );
    expect(() => parseCommandLine(["traffic"])).to.throw("traffic");
  });
});
