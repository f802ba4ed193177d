import { check } from "../conformance/case.js";
import { quote, viewOf, type Harness } from "../conformance/harness.js";
import {
  Malformed,
  readRequest,
  type FramedRequest,
} from "../conformance/strict-http.js";
import { echoBody } from "../conformance/upstream.js";
import type { RawClient } from "../support/http/raw-client.js";
import { sendPieces } from "./send-pieces.js";
import type { Trial } from "./trial.js";

/** A client's bytes as a strict parser frames them. */
interface Reading {
  requests: FramedRequest[];
  /** Whether the bytes after the requests cannot become a request. */
  isMalformed: boolean;
}

/** Sends arbitrary bytes from a client; the upstream behaves properly. @throws Fault */
export async function runClientTrial(
  harness: Harness,
  { pieces }: Trial,
): Promise<void> {
  const client = harness.connect();
  await sendPieces(client.socket, pieces);
  const reading = readRequests(pieces.join(""));
  await awaitResponses(harness, client, reading);
  judge(harness, client, reading);
}

function readRequests(text: string): Reading {
  const requests: FramedRequest[] = [];
  let rest = text;
  try {
    for (;;) {
      // Empty lines before a request, and halves of them, may be ignored (RFC 9112 2.2).
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

/** Each request, and the garbage after them, gets a response, or the connection ends. */
async function awaitResponses(
  harness: Harness,
  client: RawClient,
  { requests, isMalformed }: Reading,
): Promise<void> {
  const wanted = requests.length + (isMalformed ? 1 : 0);
  await harness.until(
    `${wanted} responses to a client`,
    () =>
      client.ending !== undefined ||
      finalsOf(harness, client, requests).length >= wanted,
  );
}

function judge(
  harness: Harness,
  client: RawClient,
  { requests, isMalformed }: Reading,
): void {
  const finals = finalsOf(harness, client, requests);
  const { malformed } = viewOf(client, methodsOf(harness, requests));
  check(
    malformed === undefined,
    "poisoned",
    () => `the client got ${malformed ?? ""} in ${quote(client.unread)}`,
  );
  const served = finals.filter(({ status }) => status === 200);
  const seen = harness.upstream.requests;
  // Responses may be lost with a closed connection.
  const isCut = client.ending !== undefined;
  check(
    served.length === seen.length || (isCut && served.length < seen.length),
    "smuggled",
    `${served.length} responses for ${seen.length} requests at the upstream`,
  );
  check(
    seen.length <= requests.length,
    "lax",
    () =>
      `a strict parser finds ${requests.length} requests${isMalformed ? " and garbage" : ""}, the upstream ${seen.length}`,
  );
  for (const [i, { status, body }] of finals.entries()) {
    const request = requests[i];
    if (status !== 200 || request === undefined || request.method === "HEAD")
      continue;
    check(
      body === echoBody(request),
      "poisoned",
      () => `${request.target} was answered with ${quote(body)}`,
    );
  }
}

function finalsOf(
  harness: Harness,
  client: RawClient,
  requests: readonly FramedRequest[],
) {
  const { responses } = viewOf(client, methodsOf(harness, requests));
  return responses.filter(({ status }) => status >= 200);
}

/** One more than a strict parser finds, for the error response to the garbage. */
function methodsOf(
  harness: Harness,
  requests: readonly FramedRequest[],
): string[] {
  const beyond = harness.upstream.requests.slice(requests.length);
  return [...requests, ...beyond].map(({ method }) => method).concat("GET");
}
