import { expect } from "chai";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import {
  clientResponseHeaders,
  hasBody,
  upstreamRequestHeaders,
  whyRefused,
} from "../../../apps/proxy/http/headers.js";

const UNTRUSTED = { address: "192.0.2.9", isTrusted: false };
const TRUSTED = { address: "192.0.2.9", isTrusted: true };

/** A request as Node's server emits it. */
function request(
  headers: Record<string, string>,
  method = "GET",
): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.method = method;
  message.httpVersion = "1.1";
  message.headers = { host: "shop.example", ...headers };
  message.rawHeaders = Object.entries(message.headers).flat() as string[];
  return message;
}

/** By lower-case name; each must occur once. */
function upstreamHeaders(
  headers: Record<string, string>,
  peer = UNTRUSTED,
): Record<string, string> {
  return byName(upstreamRequestHeaders(request(headers), peer));
}

function byName(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    expect(headers).to.not.have.property(name);
    headers[name] = raw[i + 1]!;
  }
  return headers;
}

describe("proxy headers to the upstream", () => {
  it("keeps end-to-end headers, including Host", () =>
    expect(
      upstreamHeaders({ accept: "*/*", cookie: "a=1", "content-length": "3" }),
    ).to.include({
      host: "shop.example",
      accept: "*/*",
      cookie: "a=1",
      "content-length": "3",
    }));

  it("keeps the client's request id, and makes one where it gave none", () => {
    expect(upstreamHeaders({ "x-request-id": "7" })).to.include({
      "x-request-id": "7",
    });
    const [one, other] = [upstreamHeaders({}), upstreamHeaders({})];
    expect(one["x-request-id"]).to.match(/^[\da-f-]{36}$/);
    expect(other["x-request-id"]).to.not.equal(one["x-request-id"]);
    const named = { connection: "x-request-id", "x-request-id": "7" };
    expect(upstreamHeaders(named)["x-request-id"]).to.match(/^[\da-f-]{36}$/);
  });

  it("strips hop-by-hop headers and Expect", () => {
    const hopByHop = {
      connection: "keep-alive",
      "keep-alive": "timeout=5",
      "proxy-authenticate": "Basic",
      "proxy-authorization": "Basic eDp5",
      "proxy-connection": "keep-alive",
      te: "trailers",
      trailer: "x-checksum",
      upgrade: "h2c",
      expect: "100-continue",
    };
    expect(upstreamHeaders(hopByHop)).to.not.have.any.keys(hopByHop);
  });

  it("drops names with underscores, also a trusted peer's", () => {
    for (const peer of [UNTRUSTED, TRUSTED])
      for (const name of [
        "X_Forwarded_For",
        "x_real_ip",
        "Transfer_Encoding",
        "Content_Length",
        "x_served_by",
        "_",
      ])
        expect(upstreamHeaders({ [name]: "7" }, peer)).to.not.have.property(
          name.toLowerCase(),
        );
  });

  it("can keep names with underscores that resemble none of its own", () => {
    const sent = {
      api_key: "7",
      x_served_by: "7",
      "x_forwarded-for": "7",
      host_: "7",
      content_length: "7",
      x_real_ip: "7",
      Transfer_Encoding: "7",
      forwarded_: "7",
    };
    const raw = upstreamRequestHeaders(request(sent), TRUSTED, true);
    expect(
      Object.keys(byName(raw)).filter((name) => name.includes("_")),
    ).to.deep.equal(["api_key", "x_served_by", "host_", "forwarded_"]);
  });

  it("strips headers that Connection names, in any case and spacing", () =>
    expect(
      upstreamHeaders({
        connection: "Keep-Alive,X-Secret ,  x-other",
        "x-secret": "1",
        "x-other": "2",
        "x-kept": "3",
      }),
    )
      .to.include({ "x-kept": "3" })
      .and.not.have.any.keys("x-secret", "x-other", "connection"));

  it("keeps Host and Content-Length even if Connection names them", () =>
    expect(
      upstreamHeaders({
        connection: "close, host, content-length",
        "content-length": "3",
      }),
    ).to.include({ host: "shop.example", "content-length": "3" }));

  it("keeps a chunked body's framing even if Connection names it", () =>
    expect(
      upstreamHeaders({
        connection: "transfer-encoding",
        "transfer-encoding": "chunked",
      }),
    ).to.include({ "transfer-encoding": "chunked" }));

  it("replaces an untrusted peer's claims", () => {
    const headers = upstreamHeaders({
      "x-forwarded-for": "10.9.9.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "admin.internal",
      "x-forwarded-port": "443",
      "x-real-ip": "10.9.9.9",
      forwarded: "for=10.9.9.9",
    });
    expect(headers).to.include({
      "x-forwarded-for": "192.0.2.9",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "shop.example",
    });
    expect(headers).to.not.have.any.keys(
      "x-forwarded-port",
      "x-real-ip",
      "forwarded",
    );
  });

  it("keeps a trusted peer's claims and appends the peer", () =>
    expect(
      upstreamHeaders(
        {
          "x-forwarded-for": "203.0.113.5",
          "x-forwarded-proto": "https",
          "x-forwarded-host": "shop.example.com",
          "x-real-ip": "203.0.113.5",
          forwarded: "for=203.0.113.5",
        },
        TRUSTED,
      ),
    ).to.include({
      "x-forwarded-for": "203.0.113.5, 192.0.2.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.example.com",
      "x-real-ip": "203.0.113.5",
      forwarded: "for=203.0.113.5",
    }));

  it("sets headers that a trusted peer does not send", () =>
    expect(upstreamHeaders({}, TRUSTED)).to.include({
      "x-forwarded-for": "192.0.2.9",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "shop.example",
    }));

  it("keeps order, case and repetition", () => {
    const message = request({});
    message.rawHeaders = ["Host", "shop.example", "X-B", "1", "X-A", "2"];
    message.rawHeaders.push("X-B", "3");
    const raw = upstreamRequestHeaders(message, UNTRUSTED);
    expect(raw.slice(0, 8)).to.deep.equal(message.rawHeaders);
  });

  it("drops a trusted peer's claim that Connection names", () =>
    expect(
      upstreamHeaders(
        { connection: "x-forwarded-for", "x-forwarded-for": "203.0.113.5" },
        TRUSTED,
      ),
    ).to.include({ "x-forwarded-for": "192.0.2.9" }));

  for (const [method, headers, expected] of [
    ["POST", {}, "0"],
    ["PUT", {}, "0"],
    ["PURGE", {}, "0"],
    ["GET", {}, undefined],
    ["DELETE", {}, undefined],
    ["POST", { "content-length": "3" }, "3"],
    ["POST", { "transfer-encoding": "chunked" }, undefined],
  ] as const)
    it(`has ${expected ?? "no"} Content-Length for a ${method} with ${JSON.stringify(headers)}`, () => {
      const raw = upstreamRequestHeaders(request(headers, method), UNTRUSTED);
      expect(byName(raw)["content-length"]).to.equal(expected);
    });
});

describe("proxy headers to the client", () => {
  it("keeps order, case and repetition, and sets x-served-by", () =>
    expect(
      clientResponseHeaders(
        ["X-B", "1", "Set-Cookie", "a=1", "x-A", "2", "Set-Cookie", "b=2"],
        { servedBy: "canary" },
      ),
    ).to.deep.equal([
      ...["X-B", "1", "Set-Cookie", "a=1", "x-A", "2", "Set-Cookie", "b=2"],
      ...["x-served-by", "canary"],
    ]));

  it("strips hop-by-hop headers, headers named by Connection, and the upstream's x-served-by", () =>
    expect(
      clientResponseHeaders(
        [
          ...["Connection", "keep-alive, X-One", "Keep-Alive", "timeout=5"],
          ...["connection", "x-two", "X-One", "1", "X-Two", "2"],
          ...["Transfer-Encoding", "chunked", "Trailer", "x-sum"],
          ...["Proxy-Authenticate", "Basic", "Upgrade", "h2c"],
          ...["X-Served-By", "somebody", "X-Kept", "3"],
        ],
        { servedBy: "prod" },
      ),
    ).to.deep.equal(["X-Kept", "3", "x-served-by", "prod"]));

  it("keeps Content-Length even if Connection names it", () =>
    expect(
      clientResponseHeaders(
        ["Connection", "close, content-length", "Content-Length", "2"],
        { servedBy: "prod" },
      ),
    ).to.deep.equal(["Content-Length", "2", "x-served-by", "prod"]));
});

describe("proxy refusals", () => {
  it("accepts an ordinary and a chunked request", () => {
    expect(whyRefused(request({}))).to.equal(undefined);
    expect(whyRefused(request({ "transfer-encoding": "Chunked" }))).to.equal(
      undefined,
    );
  });

  it("refuses a second Host with 400", () => {
    const twice = request({});
    twice.rawHeaders.push("HOST", "other.example");
    expect(whyRefused(twice)).to.include({ status: 400 });
  });

  it("refuses a missing Host with 400, except on HTTP/1.0", () => {
    const without = request({});
    without.rawHeaders = ["Accept", "*/*"];
    expect(whyRefused(without)).to.include({ status: 400 });
    without.httpVersion = "1.0";
    expect(whyRefused(without)).to.equal(undefined);
  });

  it("refuses Transfer-Encoding on HTTP/1.0 with 400", () => {
    const old = request({ "transfer-encoding": "chunked" });
    old.httpVersion = "1.0";
    expect(whyRefused(old)).to.include({ status: 400 });
  });

  for (const encoding of ["gzip, chunked", "chunked, chunked", "identity"]) {
    it(`refuses Transfer-Encoding: ${encoding} with 501`, () =>
      expect(whyRefused(request({ "transfer-encoding": encoding }))).to.include(
        { status: 501 },
      ));
  }
});

describe("proxy request body", () => {
  for (const [headers, expected] of [
    [{}, false],
    [{ "content-length": "0" }, false],
    [{ "content-length": "1" }, true],
    [{ "transfer-encoding": "chunked" }, true],
  ] as const) {
    it(`${expected ? "is" : "is not"} present with ${JSON.stringify(headers)}`, () =>
      expect(hasBody(request(headers))).to.equal(expected));
  }
});
