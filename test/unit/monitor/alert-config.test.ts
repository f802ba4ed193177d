import { expect } from "chai";
import { readAlertConfig } from "../../../apps/monitor/alert/alert-config.js";
import {
  SettingsReader,
  type Environment,
} from "../../../lib/settings/settings.js";
import { problemsIn } from "../../support/settings-problems.js";

function read(env: Environment) {
  const settings = new SettingsReader(env);
  const config = readAlertConfig(settings);
  settings.finish();
  return config;
}

const problemsOf = problemsIn(read);

const addressed = {
  ALERT_FROM: "serin@example.com",
  ALERT_TO: "ops@example.com, dev+canary@mail.example.com",
};

describe("the alert settings", () => {
  it("select the log by default", () => {
    expect(read({})).to.deep.equal({
      transport: "log",
      from: "serin@localhost",
      to: ["serin@localhost"],
    });
  });

  it("reject more recipients than Amazon SES takes", () => {
    const to = (count: number) =>
      Array.from({ length: count }, (_, i) => `a${i}@example.com`).join();
    const env = {
      ...addressed,
      ALERT_TRANSPORT: "ses",
      AWS_REGION: "eu-west-1",
    };
    expect(problemsOf({ ...env, ALERT_TO: to(50) })).to.deep.equal([]);
    expect(problemsOf({ ...env, ALERT_TO: to(52) })).to.deep.equal([
      "ALERT_TO names more than the 50 addresses that Amazon SES takes: give the address of a list",
    ]);
    const smtp = { ALERT_TRANSPORT: "smtp", SMTP_URL: "smtp://a" };
    expect(problemsOf({ ...addressed, ...smtp, ALERT_TO: to(52) })).to.be.empty;
  });

  it("accept a mail server", () => {
    const SMTP_URL = "smtps://serin:p%40ss@mail.example.com:465";
    expect(read({ ...addressed, ALERT_TRANSPORT: "smtp", SMTP_URL }))
      .to.deep //
      .equal({
        transport: "smtp",
        from: "serin@example.com",
        to: ["ops@example.com", "dev+canary@mail.example.com"],
        smtpUrl: SMTP_URL,
      });
  });

  it("accept Amazon SES, with and without an endpoint", () => {
    const ses = {
      ...addressed,
      ALERT_TRANSPORT: "ses",
      AWS_REGION: "eu-central-1",
    };
    expect(read(ses)).to.include({
      transport: "ses",
      awsRegion: "eu-central-1",
      sesEndpoint: undefined,
    });
    expect(read({ ...ses, SES_ENDPOINT: "http://127.0.0.1:8005" })).to.include({
      sesEndpoint: "http://127.0.0.1:8005",
    });
  });

  it("name all missing settings of a transport", () => {
    expect(problemsOf({ ALERT_TRANSPORT: "smtp" })).to.deep.equal([
      "ALERT_FROM is not set: give a mail address such as serin@example.com",
      "ALERT_TO is not set: give mail addresses separated by commas",
      "SMTP_URL is not set: give smtp://[user:password@]host[:port] or smtps://…",
    ]);
    expect(problemsOf({ ...addressed, ALERT_TRANSPORT: "ses" })).to.deep.equal([
      "AWS_REGION is not set: give a region such as eu-central-1",
    ]);
  });

  it("name each malformed address", () => {
    const env = {
      ALERT_FROM: "serin",
      ALERT_TO: "ops@example.com,a@b@c,x@y\nBcc: z@example.com",
    };
    expect(problemsOf(env)).to.deep.equal([
      'ALERT_FROM is "serin": give a mail address such as serin@example.com',
      'ALERT_TO names "a@b@c": give mail addresses such as ops@example.com',
      'ALERT_TO names "x@y\\nBcc: z@example.com": give mail addresses such as ops@example.com',
    ]);
    expect(problemsOf({ ALERT_TO: "ops@example.com,," })).to.have.length(1);
  });

  it("refuse an unknown transport and an invalid URL", () => {
    expect(problemsOf({ ALERT_TRANSPORT: "SES" })).to.deep.equal([
      'ALERT_TRANSPORT is "SES": give one of log, smtp, ses',
    ]);
    const ses = {
      ...addressed,
      ALERT_TRANSPORT: "ses",
      AWS_REGION: "Frankfurt",
      SES_ENDPOINT: "127.0.0.1:8005",
    };
    expect(problemsOf(ses)).to.deep.equal([
      'AWS_REGION is "Frankfurt": give a region such as eu-central-1',
      'SES_ENDPOINT is "127.0.0.1:8005": give an http:// or https:// URL',
    ]);
  });

  it("never show the value of SMTP_URL", () => {
    const SMTP_URL = "http://serin:hunter2@mail.example.com";
    const problems = problemsOf({
      ...addressed,
      ALERT_TRANSPORT: "smtp",
      SMTP_URL,
    });
    expect(problems.join()).to.include("SMTP_URL is malformed");
    expect(problems.join()).to.not.include("hunter2");
  });
});
