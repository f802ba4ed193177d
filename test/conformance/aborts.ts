import type { Socket } from "node:net";
import { check, type Case, type CaseGroup } from "./case.js";
import { quote, type Harness } from "./harness.js";
import type { Handlers } from "./upstream.js";

/** Limit for a reaction that should be immediate. */
const PROMPTLY_MS = 1500;

const WITH_LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
const IN_CHUNKS =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
const UPLOAD = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npart";
const CHUNKED_UPLOAD =
  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

type Cut = "end" | "destroy" | "resetAndDestroy";

const CUTS: Record<Cut, string> = {
  end: "half-closes",
  destroy: "closes",
  resetAndDestroy: "resets",
};
const ENTRIES = Object.entries(CUTS) as [Cut, string][];

/** Points at which a client disconnects. The upstream request must end too. */
const CLIENT_POINTS: {
  when: string;
  send: string;
  handlers: Handlers;
  seen: string;
}[] = [
  {
    when: "waiting for a response",
    send: GET,
    handlers: { request: () => undefined },
    seen: "\r\n\r\n",
  },
  {
    when: "reading a body with a length",
    send: GET,
    handlers: { request: ({ socket }) => void socket.write(WITH_LENGTH) },
    seen: "\r\n\r\n",
  },
  {
    when: "reading a chunked body",
    send: GET,
    handlers: { request: ({ socket }) => void socket.write(IN_CHUNKS) },
    seen: "\r\n\r\n",
  },
  {
    when: "sending a body with a length",
    send: UPLOAD,
    handlers: {},
    seen: "part",
  },
  {
    when: "sending a chunked body",
    send: CHUNKED_UPLOAD,
    handlers: {},
    seen: "part",
  },
];

function clientLeaves(
  cut: Cut,
  { when, send, handlers, seen }: (typeof CLIENT_POINTS)[0],
): Case {
  return {
    name: `a client that ${CUTS[cut]} while ${when}`,
    run: async (harness) => {
      harness.upstream.handle(handlers);
      const client = harness.connect().send(send);
      await harness.upstream.sees(seen);
      if (when.startsWith("reading")) await client.sees("half");
      client.socket[cut]();
      await harness.until(
        "the upstream request to end",
        () => harness.upstream.openCount === 0,
        // A half-closed client may still want its response, but must not hold the request open for ever.
        cut === "end" ? { ms: 6000 } : { kind: "leak", ms: PROMPTLY_MS },
      );
    },
  };
}

function clientLeavesInHead(cut: Cut): Case {
  return {
    name: `a client that ${CUTS[cut]} within the head`,
    run: async (harness) => {
      const client = harness.connect().send("GET / HTTP/1.1", "Host: x", "X-A");
      await new Promise((resolve) => client.socket.once("connect", resolve));
      client.socket[cut]();
      await harness.closed(client);
      await harness.get("/after");
      check(
        harness.upstream.requests.length === 1,
        "smuggled",
        "half a head was forwarded",
      );
    },
  };
}

/** Points before a complete response head at which an upstream disconnects. The client must get an error. */
const EARLY: [
  when: string,
  handlers: (cut: (socket: Socket) => void) => Handlers,
][] = [
  ["accepting", (cut) => ({ accept: ({ socket }) => cut(socket) })],
  ["reading the request", (cut) => ({ request: ({ socket }) => cut(socket) })],
  [
    "sending a head",
    (cut) => ({
      request: ({ socket }) =>
        void socket.write("HTTP/1.1 200 OK\r\nX-A", () => cut(socket)),
    }),
  ],
  [
    "sending an interim response",
    (cut) => ({
      request: ({ socket }) =>
        void socket.write("HTTP/1.1 102 Processing\r\n\r\n", () => cut(socket)),
    }),
  ],
];

function upstreamLeavesEarly(
  method: string,
  cut: Cut,
  [when, handlers]: (typeof EARLY)[0],
): Case {
  return {
    name: `an upstream that ${CUTS[cut]} while ${when}, ${method}`,
    run: async (harness) => {
      harness.upstream.handle(handlers((socket) => void socket[cut]()));
      const client = harness.connect();
      const body =
        method === "POST" ? ["Content-Length: 5", "", "hello"] : ["", ""];
      client.send(`${method} / HTTP/1.1`, "Host: x", ...body);
      const view = await harness.awaitResponses(client, [method]);
      const statuses = view.responses.map(({ status }) => status);
      check(
        [502, 503, 504].includes(statuses.at(-1) ?? 0) &&
          view.malformed === undefined,
        "wrong",
        () =>
          `the client got ${view.malformed ?? statuses.join(" ")}, ${view.ending ?? "open"}`,
      );
      const sent = harness.upstream.requests.length;
      check(
        method === "GET" || sent <= 1,
        "wrong",
        `a POST was sent ${sent} times`,
      );
    },
  };
}

/** A truncated body must never look complete. */
function upstreamLeavesInBody(cut: Cut, bytes: string, version: string): Case {
  const framing = bytes === WITH_LENGTH ? "with a length" : "chunked";
  const client = version === "1.0" ? ", HTTP/1.0 client" : "";
  return {
    name: `an upstream that ${CUTS[cut]} within a body, ${framing}${client}`,
    run: async (harness) => {
      let socket: Socket | undefined;
      harness.upstream.handle({
        request: (connection) => {
          socket = connection.socket;
          socket.write(bytes);
        },
      });
      const client = harness.connect();
      client.send(`GET / HTTP/${version}`, "Host: x", "", "");
      await client.sees("half");
      socket?.[cut]();
      await harness.closed(client);
      const view = await harness.awaitResponses(client, ["GET"]);
      check(
        view.responses.length === 0,
        "wrong",
        () => `a truncated body looked complete: ${quote(client.unread)}`,
      );
    },
  };
}

function upstreamLeavesUpload(cut: Cut): Case {
  return {
    name: `an upstream that ${CUTS[cut]} during an upload`,
    run: async (harness) => {
      harness.upstream.handle({ head: ({ socket }) => void socket[cut]() });
      const client = harness.connect();
      client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 4000000", "");
      client.send("", "x".repeat(4_000_000));
      const view = await harness.awaitResponses(client, ["POST"]);
      const status = view.responses.at(-1)?.status;
      // A reset may overtake the response while the client is still sending.
      check(
        status === 502 || status === 503 || view.ending !== undefined,
        "wrong",
        () => `answered ${status ?? 0}`,
      );
    },
  };
}

const TOO_LARGE = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n";

/** The upstream responds before it has received the whole request. */
function earlyResponse(name: string, head: string, ends: boolean): Case {
  return {
    name,
    run: async (harness) => {
      harness.upstream.handle({
        head: ({ socket }, { method }) => {
          if (method !== "POST") return;
          socket.write(`${head}\r\nbig`);
          if (ends) socket.end();
        },
        request: ({ socket }, { method }) => {
          if (method !== "POST")
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
        },
      });
      const client = harness.connect();
      client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 400000", "");
      client.send("", "x".repeat(200_000));
      await client.sees("big").catch(() => undefined);
      client.send("x".repeat(200_000)).get("/next");
      const view = await harness.awaitResponses(client, ["POST", "GET"]);
      const [first, second] = view.responses;
      check(
        first?.status === 413 ||
          (first === undefined && view.ending === "reset"),
        "wrong",
        () => `answered ${first?.status ?? 0}`,
      );
      check(
        second === undefined
          ? view.ending !== undefined
          : second.body === "next",
        "poisoned",
        () => `the next response: ${quote(client.unread)}`,
      );
    },
  };
}

/** The upstream responds while the upload is stalled. Neither side may be kept waiting. */
async function respondsToStalledUpload(harness: Harness): Promise<void> {
  harness.upstream.handle({
    head: ({ socket }) => void socket.write(`${TOO_LARGE}\r\nbig`),
  });
  const client = harness.connect();
  client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 100", "", "part");
  const view = await harness.awaitResponses(client, ["POST"]);
  check(view.responses[0]?.status === 413, "wrong", () => quote(client.unread));
  client.socket.destroy();
  await harness.until(
    "the upstream connection to end",
    () => harness.upstream.openCount === 0,
    { kind: "leak", ms: PROMPTLY_MS },
  );
}

async function silentUpstream(harness: Harness): Promise<void> {
  harness.upstream.handle({ request: () => undefined });
  const client = harness.connect().get("/");
  const view = await harness.awaitResponses(client, ["GET"]);
  const status = view.responses[0]?.status ?? 0;
  check([502, 504].includes(status), "wrong", `answered ${status}`);
  await harness.until(
    "the upstream request to end",
    () => harness.upstream.openCount === 0,
    { kind: "leak", ms: PROMPTLY_MS },
  );
}

async function pausingHead(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }) => void socket.write("HTTP/1.1 200 OK\r\nX-A: 1\r\n"),
  });
  const client = harness.connect().get("/");
  const view = await harness.awaitResponses(client, ["GET"]);
  const status = view.responses[0]?.status ?? 0;
  check([502, 504].includes(status), "wrong", `answered ${status}`);
}

export const ABORTS: CaseGroup[] = [
  {
    title: "client disconnects",
    cases: [
      ...ENTRIES.map(([cut]) => clientLeavesInHead(cut)),
      ...CLIENT_POINTS.flatMap((at) =>
        ENTRIES.map(([cut]) => clientLeaves(cut, at)),
      ),
    ],
  },
  {
    title: "upstream disconnects",
    cases: [
      ...EARLY.flatMap((at) =>
        ENTRIES.flatMap(([cut]) =>
          ["GET", "POST"].map((method) => upstreamLeavesEarly(method, cut, at)),
        ),
      ),
      ...[WITH_LENGTH, IN_CHUNKS].flatMap((bytes) =>
        ["1.1", "1.0"].flatMap((version) =>
          ENTRIES.map(([cut]) => upstreamLeavesInBody(cut, bytes, version)),
        ),
      ),
      ...ENTRIES.map(([cut]) => upstreamLeavesUpload(cut)),
      { name: "an upstream that never responds", run: silentUpstream },
      { name: "an upstream that stalls within the head", run: pausingHead },
    ],
  },
  {
    title: "responses before the upload is complete",
    cases: [
      earlyResponse(
        "and the upstream closes",
        `${TOO_LARGE}Connection: close\r\n`,
        true,
      ),
      earlyResponse("and the upstream keeps reading", TOO_LARGE, false),
      { name: "and the client stops sending", run: respondsToStalledUpload },
    ],
  },
];
