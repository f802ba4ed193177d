import { expect } from "chai";
import {
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const LENGTH = "Content-Length: 5";
const CHUNKED = "Transfer-Encoding: chunked";

/** Responses that cannot be relayed, or that two readers could read differently. */
const UNUSABLE: [name: string, lines: string[]][] = [
  [
    "Content-Length beside Transfer-Encoding",
    ["HTTP/1.1 200 OK", LENGTH, CHUNKED, "", "5", "hello", "0", "", ""],
  ],
  [
    "two different Content-Lengths",
    ["HTTP/1.1 200 OK", LENGTH, "Content-Length: 6", "", "hello"],
  ],
  ["a Content-Length that is no number", ok("Content-Length: 5x")],
  ["an obs-fold", ok("X-A: 1", " 2", LENGTH)],
  ["a NUL in a header", ok("X-A: a\0b", LENGTH)],
  ["a header ended by a bare LF", ok("X-A: 1\nX-B: 2", LENGTH)],
  ["a space before the colon", ok("Content-Length : 5")],
  ["a header of 30 KB", ok(`X-A: ${"a".repeat(30_000)}`, LENGTH)],
  ["no status line", ["hello", "", ""]],
  ["a status that does not exist", ["HTTP/1.1 099 Odd", LENGTH, "", "hello"]],
  ["another protocol", ["SSH-2.0-OpenSSH_9.2", ""]],
  [
    "a control character in its reason phrase",
    ["HTTP/1.1 200 O\x01K", LENGTH, "", "hello"],
  ],
  [
    "a coding that would have to be undone",
    ok("Transfer-Encoding: gzip, chunked", "", "5"),
  ],
  ["a coding without an end", ok("Transfer-Encoding: gzip")],
  [
    "an unrequested upgrade",
    ["HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: x", "", ""],
  ],
];

function ok(...headers: string[]): string[] {
  return ["HTTP/1.1 200 OK", ...headers, "", "hello"];
}

/** Bytes after a whole response, in the same piece. */
const BEHIND_THE_BODY: [name: string, bytes: string][] = [
  ["garbage", "GARBAGE\r\n\r\n"],
  ["another response", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"],
];

/** Sends `bytes` on its first connection and a valid response on later ones. */
function startPoisoned(bytes: string) {
  return startRawBackend(({ socket, index }) =>
    socket.write(
      index === 0 ? bytes : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean",
    ),
  );
}

describeEngines("proxy bad responses", () => {
  for (const [name, lines] of UNUSABLE) {
    it(`answers 502 to ${name} and does not reuse the connection`, async () => {
      const prod = await startPoisoned(lines.join("\r\n"));
      const proxy = await startTestProxy({ prod });
      const client = proxy.connect().get("/");
      const answer = await client.response();
      expect(answer).to.include({ status: 502, reason: "Bad Gateway" });
      expect(JSON.parse(answer.body)).to.deep.equal({
        error: "the upstream gave no valid response",
      });
      client.get("/next");
      expect(await client.response()).to.include({
        status: 200,
        body: "clean",
      });
      expect(prod.accepted()).to.equal(2);
    });

    it(`lets prod answer in place of a canary with ${name}`, async () => {
      const canary = await startPoisoned(lines.join("\r\n"));
      const prod = await startNamedBackend("prod");
      const proxy = await startTestProxy({ prod, canary, side: "canary" });
      expect(await send(proxy.port)).to.include({ servedBy: "prod" });
    });
  }

  for (const [name, bytes] of BEHIND_THE_BODY) {
    for (const [framing, response] of [
      ["Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
      [
        "chunks",
        `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      ],
    ] as const) {
      it(`relays exactly the body with ${framing} when ${name} follows it`, async () => {
        const prod = await startPoisoned(response + bytes);
        const proxy = await startTestProxy({ prod });
        const client = proxy.connect().get("/");
        const answer = await client.response();
        expect(answer).to.include({ status: 200, body: "hello" });
        client.get("/next");
        const next = await client.response();
        expect(next).to.include({ status: 200, body: "clean" });
        expect(client.unread).to.equal("");
        expect(prod.accepted()).to.equal(2);
      });
    }
  }

  it("relays the response to a HEAD even if a forbidden body follows", async () => {
    const prod = await startPoisoned(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().send("HEAD / HTTP/1.1", "Host: x", "", "");
    expect(await client.response({ head: true })).to.include({ status: 200 });
    client.get("/next");
    expect(await client.response()).to.include({ status: 200, body: "clean" });
  });
});
