import { check } from "../conformance/case.js";
import { quote, viewOf, type Stage } from "../conformance/stage.js";
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
/** Time in which whatever an upstream has said reaches the client. */
const QUIET_MS = 60;

/** An upstream says anything in answer to a request of a client that behaves. @throws Fault */
export async function playUpstreamTrial(
  stage: Stage,
  trial: Trial,
): Promise<void> {
  playAnswer(stage, trial);
  const { method } = trial;
  const client = stage.connect();
  send(client, { method, target: TARGET, body: "" });
  const expected = readAnswer(trial);
  if (trial.isPipelined) for (const request of FURTHER) send(client, request);
  const isStuck =
    trial.ending === "open" && expected === undefined
      ? quietness(client)
      : () => false;
  const methods = [method, ...FURTHER.map((request) => request.method)];
  const finals = () =>
    viewOf(client, methods).responses.filter(({ status }) => status >= 200);
  const isAnswered = (count: number) =>
    client.ending !== undefined || finals().length >= count || isStuck();
  await stage.until("the first answer", () => isAnswered(1));
  if (!trial.isPipelined) for (const request of FURTHER) send(client, request);
  await stage.until("all answers", () => isAnswered(methods.length));

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

function playAnswer(stage: Stage, { pieces, ending }: Trial): void {
  stage.upstream.play({
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

/** What a strict reader makes of the upstream's bytes; undefined when they are not, or not yet, a whole answer. */
function readAnswer(trial: Trial): FramedResponse | undefined {
  const { responses } = readResponses(
    // Empty lines in front of it, and halves of them, may be passed over.
    trial.pieces.join("").replace(/^[\r\n]+/, ""),
    [trial.method],
    // A reset has an orderly end in front of it, which may be all that is seen of it.
    trial.ending !== "open",
  );
  return responses.find(({ status }) => status >= 200 || status === 101);
}

/** An answer that stops half-way may be waited for as long as the client wants: it gives up. */
function quietness(client: RawClient): () => boolean {
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
      `a strict reader sees no answer, the client got ${quote(client.unread)}`,
  );
  check(
    got.status === expected.status && got.body === expected.body,
    "wrong",
    () => `${quote(JSON.stringify(expected))} became ${quote(client.unread)}`,
  );
}

/** Two readers must agree about where the first answer ends. */
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
    () => `Node reads ${JSON.stringify(read)} in ${quote(client.unread)}`,
  );
}

function judgeFurther(finals: readonly FramedResponse[]): void {
  for (const [i, { status, body }] of finals.entries()) {
    const request = FURTHER[i];
    if (request === undefined) continue;
    check(
      status >= 500 || body === echoBody(request),
      "poisoned",
      () => `${request.target} was answered by ${quote(body)}`,
    );
  }
}
