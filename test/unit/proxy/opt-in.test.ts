import { expect } from "chai";
import { OptIn } from "../../../apps/proxy/dealing/opt-in.js";
import { cookieValue } from "../../../apps/proxy/http/cookies.js";

const optIn = new OptIn({ header: "x-serin-canary", cookie: "serin-canary" });

describe("proxy opt-in", () => {
  for (const headers of [
    { "x-serin-canary": "1" },
    { "x-serin-canary": "true" },
    { cookie: "serin-canary=1" },
    { cookie: "a=b; serin-canary=true; c" },
    { cookie: ";;; =;serin-canary=1" },
    { "x-serin-canary": "0", cookie: "serin-canary=1" },
  ])
    it(`asks for the canary by ${JSON.stringify(headers)}`, () =>
      expect(optIn.isIn(headers)).to.equal(true));

  for (const headers of [
    {},
    { "x-serin-canary": "" },
    { "x-serin-canary": "0" },
    { "x-serin-canary": "yes" },
    // Sent twice.
    { "x-serin-canary": "1, 1" },
    { "x-serin-canary": "1".repeat(10_000) },
    { cookie: "serin-canary" },
    { cookie: "serin-canary=0; serin-canary=1" },
    { cookie: "xserin-canary=1" },
    { cookie: "serin-canary2=1" },
    { cookie: "a=serin-canary=1" },
    { cookie: "serin-canary =1" },
    { cookie: "SERIN-CANARY=1" },
    { cookie: "serin-canary".repeat(1000) },
  ])
    it(`asks for nothing by ${JSON.stringify(headers).slice(0, 60)}`, () =>
      expect(optIn.isIn(headers)).to.equal(false));

  it("has only the names that are set", () => {
    const byHeader = new OptIn({ header: "x-beta", cookie: "" });
    expect(byHeader.isIn({ "x-beta": "1" })).to.equal(true);
    expect(byHeader.isIn({ cookie: "=1", "": "1" })).to.equal(false);
    const byCookie = new OptIn({ header: "", cookie: "beta" });
    expect(byCookie.isIn({ cookie: "beta=1" })).to.equal(true);
    expect(byCookie.isIn({ "": "1" })).to.equal(false);
  });
});

describe("value of a cookie", () => {
  it("is the first one's, without blanks around it", () => {
    expect(cookieValue("b=0; a= x y \t; a=2", "a")).to.equal("x y");
    expect(cookieValue("a=", "a")).to.equal("");
    expect(cookieValue(undefined, "a")).to.equal(undefined);
  });

  it("is found in linear time in hostile headers", () => {
    const began = performance.now();
    for (const part of ["a", "a ", " ", "\t", ";", "a;", "=a"])
      cookieValue(part.repeat(16_384), "a");
    expect(performance.now() - began).to.be.below(500);
  });
});
