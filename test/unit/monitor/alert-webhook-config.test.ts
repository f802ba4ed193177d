import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";

const URL_HELP = "give an https:// URL, or http:// to a loopback address";

describe("the webhook's settings", () => {
  it("are absent by default", () => {
    expect(readConfig({}).alert.webhook).to.equal(undefined);
  });

  for (const url of [
    "https://hooks.example.com/services/T0/x",
    "http://127.0.0.1:9000/relay",
    "http://[::1]:9000/",
    "http://localhost/relay",
  ])
    it(`accept ${url}`, () => {
      const { webhook } = readConfig({ ALERT_WEBHOOK_URL: url }).alert;
      expect(webhook).to.deep.equal({ url: new URL(url), secret: undefined });
    });

  for (const url of [
    "http://hooks.example.com/secret-path",
    "http://10.0.0.1/secret-path",
    "ftp://127.0.0.1/secret-path",
    "secret-path",
  ])
    it(`refuse ${url}, and do not show it`, () => {
      expect(() => readConfig({ ALERT_WEBHOOK_URL: url }))
        .to.throw(
          `ALERT_WEBHOOK_URL is malformed (value not shown): ${URL_HELP}`,
        )
        .with.property("message")
        .not.include("secret-path");
    });

  it("refuse a short secret, and one without a URL", () => {
    const url = { ALERT_WEBHOOK_URL: "https://example.com/" };
    expect(() =>
      readConfig({ ...url, ALERT_WEBHOOK_SECRET: "short" }),
    ).to.throw("ALERT_WEBHOOK_SECRET is malformed (value not shown)");
    expect(() =>
      readConfig({ ALERT_WEBHOOK_SECRET: "long enough, but alone" }),
    ).to.throw("ALERT_WEBHOOK_URL is not");
  });
});

describe("the dashboard's URL", () => {
  it("is stored without a final slash", () => {
    const of = (DASHBOARD_URL: string) =>
      readConfig({ DASHBOARD_URL }).dashboardUrl;
    expect(of("https://serin.example.com/")).to.equal(
      "https://serin.example.com",
    );
    expect(of("http://edge1/serin/")).to.equal("http://edge1/serin");
    expect(readConfig({}).dashboardUrl).to.equal(undefined);
  });

  for (const url of [
    "serin.example.com",
    "javascript:alert(1)",
    "https://a:b@c",
  ])
    it(`is not ${url}`, () => {
      expect(() => readConfig({ DASHBOARD_URL: url })).to.throw(
        /DASHBOARD_URL is .*: give an http/,
      );
    });
});
