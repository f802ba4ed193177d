import { check } from "../conformance/case.js";
import { quote, viewOf, type Harness } from "../conformance/harness.js";
import {
  readResponses,
  type FramedResponse,
} from "../conformance/strict-http.js";
import { echo, echoBody } from "../conformance/upstream.js";
import type { RawClient } from "../support/http/raw-client.js";
import { readByNode } from "./node-reading.js";
import { sendPieces } from "./send-pieces.js";
import type { Trial } from "./trial.js";

const TARGET = "/mutated";
const FURTHER = [
  { method: "GET", target: "/next/1", body: "" },
  { method: "POST", target: "/next/2", body: "hello" },
];
/** Time for the upstream's bytes to reach the client. */
const QUIET_MS = 60;

/** Sends arbitrary bytes from the upstream; the client behaves properly. @throws Fault */
export async function runUpstreamTrial(
  harness: Harness,
  trial: Trial,
): Promise<void> {
  answerWithTrial(harness, trial);
  const { method } = trial;
  const client = harness.connect();
  send(client, { method, target: TARGET, body: "" });
  const expected = parseExpected(trial);
  if (trial.isPipelined) for (const request of FURTHER) send(client, request);
  const isStuck =
    trial.ending === "open" && expected === undefined
      ? detectQuiet(client)
      : () => false;
  const methods = [method, ...FURTHER.map((request) => request.method)];
  const finals = () =>
    viewOf(client, methods).responses.filter(({ status }) => status >= 200);
  const isAnswered = (count: number) =>
    client.ending !== undefined || finals().length >= count || isStuck();
  await harness.until("the first response", () => isAnswered(1));
  if (!trial.isPipelined) for (const request of FURTHER) send(client, request);
  await harness.until("all responses", () => isAnswered(methods.length));

  const { malformed } = viewOf(client, methods);
  check(
    malformed === undefined,
    "poisoned",
    () => `the client got ${malformed ?? ""} in ${quote(client.unread)}`,
  );
  judgeFirst(finals()[0], expected, client);
  await judgeByNode(finals()[0], method, client);
  judgeFurther(finals().slice(1));
}

function answerWithTrial(harness: Harness, { pieces, ending }: Trial): void {
  harness.upstream.handle({
    request: ({ socket }, request) => {
      if (request.target !== TARGET) {
        socket.write(echo(request));
        return;
      }
      void sendPieces(socket, pieces).then(() => {
        if (ending === "end") socket.end();
        if (ending === "reset") socket.resetAndDestroy();
      });
    },
  });
}

function send(
  client: RawClient,
  { method, target, body }: { method: string; target: string; body: string },
): void {
  const framing = method === "POST" ? [`Content-Length: ${body.length}`] : [];
  client.send(`${method} ${target} HTTP/1.1`, "Host: x", ...framing, "", body);
}

/** The response that a strict parser finds in the upstream's bytes, if it is complete. */
function parseExpected(trial: Trial): FramedResponse | undefined {
  const { responses } = readResponses(
    // Empty lines before it, and halves of them, may be ignored.
    trial.pieces.join("").replace(/^[\r\n]+/, ""),
    [trial.method],
    // The proxy may take a reset for a FIN.
    trial.ending !== "open",
  );
  return responses.find(({ status }) => status >= 200 || status === 101);
}

/** The proxy may wait for the rest of an incomplete response. The client gives up when no more bytes arrive. */
function detectQuiet(client: RawClient): () => boolean {
  let [bytes, since] = [0, performance.now()];
  return () => {
    const now = performance.now();
    if (client.bytes !== bytes) [bytes, since] = [client.bytes, now];
    return bytes > 0 && now - since > QUIET_MS;
  };
}

function judgeFirst(
  got: FramedResponse | undefined,
  expected: FramedResponse | undefined,
  client: RawClient,
): void {
  if (got === undefined || got.status >= 500) return;
  check(
    expected !== undefined,
    "lax",
    () =>
      `a strict parser finds no response, the client got ${quote(client.unread)}`,
  );
  check(
    got.status === expected.status && got.body === expected.body,
    "wrong",
    () => `${quote(JSON.stringify(expected))} became ${quote(client.unread)}`,
  );
}

/** Two parsers must agree where the first response ends. */
async function judgeByNode(
  got: FramedResponse | undefined,
  method: string,
  client: RawClient,
): Promise<void> {
  if (got === undefined) return;
  const read = await readByNode(client.unread, method);
  check(
    read?.status === got.status && read.body === got.body,
    "poisoned",
    () => `Node parses ${JSON.stringify(read)} in ${quote(client.unread)}`,
  );
}

function judgeFurther(finals: readonly FramedResponse[]): void {
  for (const [i, { status, body }] of finals.entries()) {
    const request = FURTHER[i];
    if (request === undefined) continue;
    check(
      status >= 500 || body === echoBody(request),
      "poisoned",
      () => `${request.target} was answered with ${quote(body)}`,
    );
  }
}
