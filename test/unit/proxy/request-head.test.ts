import { expect } from "chai";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { requestHead } from "../../../apps/proxy/engines/request-head.js";
import type { Upstream } from "../../../apps/proxy/engines/upstreams.js";

const UPSTREAM: Upstream = {
  side: "prod",
  host: "10.0.0.1",
  port: 3001,
  name: "10.0.0.1:3001",
};

function headOf(
  request: { method?: string; url?: string; headers: string[] },
  upstream = UPSTREAM,
): string[] {
  const { method = "GET", url = "/", headers } = request;
  const message = new IncomingMessage(new Socket());
  const host = headers[headers.indexOf("Host") + 1];
  Object.assign(message, { method, url });
  message.headers = headers.includes("Host") ? { host } : {};
  return requestHead({ request: message, headers, upstream }).split("\r\n");
}

describe("proxy request head", () => {
  it("has the method, the unchanged path, and each header in order", () =>
    expect(
      headOf({
        method: "OPTIONS",
        url: "//a/../b?c",
        headers: ["Host", "x", "X-Twice", "a", "x-twice", "b", "Accept", "*/*"],
      }),
    ).to.deep.equal([
      "OPTIONS //a/../b?c HTTP/1.1",
      ...["Host: x", "X-Twice: a", "x-twice: b", "Accept: */*"],
      ...["Connection: keep-alive", "", ""],
    ]));

  it("names the upstream as Host when the client sent none", () => {
    expect(headOf({ headers: [] })).to.include("host: 10.0.0.1:3001");
    const upstream = { ...UPSTREAM, host: "::1", port: 80 };
    expect(headOf({ headers: [] }, upstream)).to.include("host: [::1]:80");
  });
});
