import { expect } from "chai";
import { IncomingMessage, type IncomingHttpHeaders } from "node:http";
import { Socket } from "node:net";
import { requestHead } from "../../apps/proxy/request-head.js";

const UPSTREAM = { side: "prod", host: "10.0.0.1", port: 3001 } as const;

function headOf(
  request: { method?: string; url?: string; headers: IncomingHttpHeaders },
  upstream:
    typeof UPSTREAM | { side: "prod"; host: string; port: number } = UPSTREAM,
): string[] {
  const message = Object.assign(new IncomingMessage(new Socket()), {
    method: "GET",
    url: "/",
    ...request,
  });
  return requestHead(message, upstream).split("\r\n");
}

describe("proxy request head", () => {
  it("has the method, the path as it came, and each header in order", () =>
    expect(
      headOf({
        method: "OPTIONS",
        url: "//a/../b?c",
        headers: { host: "x", "set-cookie": ["a=1", "b=2"], accept: "*/*" },
      }),
    ).to.deep.equal([
      "OPTIONS //a/../b?c HTTP/1.1",
      ...["host: x", "set-cookie: a=1", "set-cookie: b=2", "accept: */*"],
      ...["Connection: keep-alive", "", ""],
    ]));

  it("names the upstream where the client named no host", () => {
    expect(headOf({ headers: {} })).to.include("host: 10.0.0.1:3001");
    const upstream = { side: "prod", host: "::1", port: 80 } as const;
    expect(headOf({ headers: {} }, upstream)).to.include("host: [::1]:80");
  });

  for (const [method, headers, expected] of [
    ["POST", {}, true],
    ["PUT", {}, true],
    ["PURGE", {}, true],
    ["GET", {}, false],
    ["DELETE", {}, false],
    ["POST", { "content-length": "3" }, false],
    ["POST", { "transfer-encoding": "chunked" }, false],
  ] as const)
    it(`${expected ? "adds" : "does not add"} content-length: 0 to a ${method} with ${JSON.stringify(headers)}`, () => {
      const lines = headOf({ method, headers: { host: "x", ...headers } });
      expect(lines.includes("content-length: 0")).to.equal(expected);
    });
});
