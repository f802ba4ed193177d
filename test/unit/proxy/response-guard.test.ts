import { expect } from "chai";
import { ResponseGuard } from "../../../apps/proxy/engines/http-proxy/response-guard.js";
import type { BodyLength } from "../../../apps/proxy/http/response-head.js";

/** Bytes that arrive, or a report of Node's parser: an interim head, or the body length of the final one. */
type Step = string | { interim: true } | { head: BodyLength | "bad" };

function guardAfter(...steps: Step[]): ResponseGuard {
  const guard = new ResponseGuard();
  for (const step of steps)
    if (typeof step === "string") guard.push(Buffer.from(step));
    else if ("interim" in step) guard.passInterim();
    else if (step.head === "bad") guard.passHead(undefined);
    else
      guard.passHead({
        bodyLength: step.head,
        keepAlive: step.head !== "until-close",
        keepAliveGrant: undefined,
      });
  return guard;
}

const INTERIM = { interim: true } as const;
const HEAD = "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n";

describe("response guard", () => {
  const cases: [string, Step[], boolean][] = [
    ["a whole response in one piece", [`${HEAD}hello`, { head: 5 }], true],
    ["one without a body", [HEAD, { head: 0 }], true],
    ["a body behind its head", [HEAD, { head: 5 }, "he", "llo"], true],
    ["half a body", [`${HEAD}he`, { head: 5 }], false],
    [
      "a head in two pieces",
      ["HTTP/1.1 200", " OK\r\n\r\nhello", { head: 5 }],
      true,
    ],
    [
      "a byte behind it, in the same piece",
      [`${HEAD}hello!`, { head: 5 }],
      false,
    ],
    [
      "a byte behind it, in a later piece",
      [`${HEAD}hello`, { head: 5 }, "!"],
      false,
    ],
    ["bytes behind one without a body", [`${HEAD}!`, { head: 0 }], false],
    [
      "an interim head in front",
      [`HTTP/1.1 103 E\r\n\r\n${HEAD}hello`, INTERIM, { head: 5 }],
      true,
    ],
    [
      "an interim head that came alone",
      ["HTTP/1.1 103 E\r\n\r\n", INTERIM, `${HEAD}hello`, { head: 5 }],
      true,
    ],
    [
      "chunks",
      [`${HEAD}5\r\nhello\r\n`, { head: "chunked" }, "0\r\n\r\n"],
      true,
    ],
    [
      "chunks without their end",
      [`${HEAD}5\r\nhello\r\n`, { head: "chunked" }],
      false,
    ],
    [
      "bytes behind the chunks",
      [`${HEAD}0\r\n\r\n!`, { head: "chunked" }],
      false,
    ],
    ["malformed chunks", [`${HEAD}x\r\n`, { head: "chunked" }], false],
    [
      "a body that the connection's end completes",
      [`${HEAD}hello`, { head: "until-close" }],
      false,
    ],
    [
      "framing that two readers could take differently",
      [`${HEAD}hello`, { head: "bad" }],
      false,
    ],
    ["a head that Node's parser has not told of", [HEAD], false],
    [
      "an empty line in front of its head",
      [`\r\n\r\n${HEAD}hello`, { head: 5 }],
      false,
    ],
    [
      "an empty line in front of its head, and the body later",
      [`\r\n${HEAD}`, { head: 5 }, "hello"],
      false,
    ],
    [
      "an empty line between two heads",
      [`HTTP/1.1 103 E\r\n\r\n\r\n${HEAD}`, INTERIM, { head: 0 }],
      false,
    ],
    [
      "a head without an end",
      ["HTTP/1.1 200 OK\nX: 1\n\n", { head: 0 }],
      false,
    ],
    ["nothing", [], false],
  ];
  for (const [name, steps, isComplete] of cases)
    it(`${isComplete ? "lets the connection be reused after" : "does not let the connection be reused after"} ${name}`, () =>
      expect(guardAfter(...steps).isComplete).to.equal(isComplete));

  it("knows whether any byte, and whether the head, has arrived", () => {
    const told = (guard: ResponseGuard) => [guard.hasBegun, guard.hasHead];
    expect(told(guardAfter())).to.deep.equal([false, false]);
    expect(told(guardAfter("H"))).to.deep.equal([true, false]);
    expect(told(guardAfter("\r\n"))).to.deep.equal([true, false]);
    const interim = guardAfter("HTTP/1.1 103 E\r\n\r\n", INTERIM);
    expect(told(interim)).to.deep.equal([true, false]);
    expect(told(guardAfter(HEAD, { head: 5 }))).to.deep.equal([true, true]);
  });
});
