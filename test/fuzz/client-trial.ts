import { check } from "../conformance/case.js";
import { quote, viewOf, type Stage } from "../conformance/stage.js";
import {
  Malformed,
  readRequest,
  type FramedRequest,
} from "../conformance/strict-http.js";
import { echoBody } from "../conformance/upstream.js";
import type { RawClient } from "../support/http/raw-client.js";
import { sendPieces } from "./send-pieces.js";
import type { Trial } from "./trial.js";

/** What a strict reader makes of a client's bytes. */
interface Reading {
  requests: FramedRequest[];
  /** What follows them is no request, and cannot become one. */
  isMalformed: boolean;
}

/** A client says anything to a proxy whose upstream behaves. @throws Fault */
export async function playClientTrial(
  stage: Stage,
  { pieces }: Trial,
): Promise<void> {
  const client = stage.connect();
  await sendPieces(client.socket, pieces);
  const reading = readRequests(pieces.join(""));
  await awaitAnswers(stage, client, reading);
  judge(stage, client, reading);
}

function readRequests(text: string): Reading {
  const requests: FramedRequest[] = [];
  let rest = text;
  try {
    for (;;) {
      // Empty lines in front of a request, and halves of them, may be passed over (RFC 9112 2.2).
      const read = readRequest(rest.replace(/^[\r\n]+/, ""));
      if (read === undefined) return { requests, isMalformed: false };
      requests.push(read.message);
      rest = read.rest;
    }
  } catch (err) {
    if (!(err instanceof Malformed)) throw err;
    return { requests, isMalformed: true };
  }
}

/** Each whole request, and what is no request, is answered, or the connection ends. */
async function awaitAnswers(
  stage: Stage,
  client: RawClient,
  { requests, isMalformed }: Reading,
): Promise<void> {
  const wanted = requests.length + (isMalformed ? 1 : 0);
  await stage.until(
    `${wanted} answers to a client`,
    () =>
      client.ending !== undefined ||
      finalsOf(stage, client, requests).length >= wanted,
  );
}

function judge(
  stage: Stage,
  client: RawClient,
  { requests, isMalformed }: Reading,
): void {
  const finals = finalsOf(stage, client, requests);
  const { malformed } = viewOf(client, methodsOf(stage, requests));
  check(
    malformed === undefined,
    "poisoned",
    () => `the client got ${malformed ?? ""} in ${quote(client.unread)}`,
  );
  const served = finals.filter(({ status }) => status === 200);
  const seen = stage.upstream.requests;
  // A connection that is cut off may take answers with it.
  const isCut = client.ending !== undefined;
  check(
    served.length === seen.length || (isCut && served.length < seen.length),
    "smuggled",
    `${served.length} answers for ${seen.length} requests at the upstream`,
  );
  check(
    seen.length <= requests.length,
    "lax",
    () =>
      `a strict reader sees ${requests.length} requests${isMalformed ? " and garbage" : ""}, the upstream ${seen.length}`,
  );
  for (const [i, { status, body }] of finals.entries()) {
    const request = requests[i];
    if (status !== 200 || request === undefined || request.method === "HEAD")
      continue;
    check(
      body === echoBody(request),
      "poisoned",
      () => `${request.target} was answered by ${quote(body)}`,
    );
  }
}

function finalsOf(
  stage: Stage,
  client: RawClient,
  requests: readonly FramedRequest[],
) {
  const { responses } = viewOf(client, methodsOf(stage, requests));
  return responses.filter(({ status }) => status >= 200);
}

/** One more than a strict reader sees: the error that what follows is answered by. */
function methodsOf(stage: Stage, requests: readonly FramedRequest[]): string[] {
  const beyond = stage.upstream.requests.slice(requests.length);
  return [...requests, ...beyond].map(({ method }) => method).concat("GET");
}
