import type { Socket } from "node:net";
import { check, type Case, type Chapter } from "./case.js";
import { quote, type Stage } from "./stage.js";
import type { Play } from "./upstream.js";

/** What a proxy that follows at once stays far below. */
const AT_ONCE_MS = 1500;

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

/** Where a client leaves; the upstream's request must end with it. */
const CLIENT_STAGES: {
  when: string;
  send: string;
  play: Play;
  seen: string;
}[] = [
  {
    when: "waiting for an answer",
    send: GET,
    play: { request: () => undefined },
    seen: "\r\n\r\n",
  },
  {
    when: "reading a body with a length",
    send: GET,
    play: { request: ({ socket }) => void socket.write(WITH_LENGTH) },
    seen: "\r\n\r\n",
  },
  {
    when: "reading a body in chunks",
    send: GET,
    play: { request: ({ socket }) => void socket.write(IN_CHUNKS) },
    seen: "\r\n\r\n",
  },
  {
    when: "sending a body with a length",
    send: UPLOAD,
    play: {},
    seen: "part",
  },
  {
    when: "sending a body in chunks",
    send: CHUNKED_UPLOAD,
    play: {},
    seen: "part",
  },
];

function clientLeaves(
  cut: Cut,
  { when, send, play, seen }: (typeof CLIENT_STAGES)[0],
): Case {
  return {
    name: `a client that ${CUTS[cut]} while ${when}`,
    run: async (stage) => {
      stage.upstream.play(play);
      const client = stage.connect().send(send);
      await stage.upstream.sees(seen);
      if (when.startsWith("reading")) await client.sees("half");
      client.socket[cut]();
      await stage.until(
        "the upstream's request to end",
        () => stage.upstream.openCount === 0,
        // A half-closed client may still want its answer; what it must not do is to hold everything for ever.
        cut === "end" ? { ms: 6000 } : { kind: "leak", ms: AT_ONCE_MS },
      );
    },
  };
}

function clientLeavesHead(cut: Cut): Case {
  return {
    name: `a client that ${CUTS[cut]} in mid-head`,
    run: async (stage) => {
      const client = stage.connect().send("GET / HTTP/1.1", "Host: x", "X-A");
      await new Promise((resolve) => client.socket.once("connect", resolve));
      client.socket[cut]();
      await stage.closed(client);
      await stage.get("/after");
      check(
        stage.upstream.requests.length === 1,
        "smuggled",
        "half a head was forwarded",
      );
    },
  };
}

/** Where an upstream goes away before a response's head: the client must be told by an error. */
const EARLY: [when: string, play: (cut: (socket: Socket) => void) => Play][] = [
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
  [when, play]: (typeof EARLY)[0],
): Case {
  return {
    name: `an upstream that ${CUTS[cut]} while ${when}, ${method}`,
    run: async (stage) => {
      stage.upstream.play(play((socket) => void socket[cut]()));
      const client = stage.connect();
      const body =
        method === "POST" ? ["Content-Length: 5", "", "hello"] : ["", ""];
      client.send(`${method} / HTTP/1.1`, "Host: x", ...body);
      const view = await stage.answers(client, [method]);
      const statuses = view.responses.map(({ status }) => status);
      check(
        [502, 503, 504].includes(statuses.at(-1) ?? 0) &&
          view.malformed === undefined,
        "wrong",
        () =>
          `the client got ${view.malformed ?? statuses.join(" ")}, ${view.ending ?? "open"}`,
      );
      const sent = stage.upstream.requests.length;
      check(
        method === "GET" || sent <= 1,
        "wrong",
        `a POST was sent ${sent} times`,
      );
    },
  };
}

/** A body that is cut short must never look whole. */
function upstreamLeavesInBody(cut: Cut, bytes: string, version: string): Case {
  const framing = bytes === WITH_LENGTH ? "with a length" : "in chunks";
  const client = version === "1.0" ? ", HTTP/1.0 client" : "";
  return {
    name: `an upstream that ${CUTS[cut]} in a body ${framing}${client}`,
    run: async (stage) => {
      let socket: Socket | undefined;
      stage.upstream.play({
        request: (connection) => {
          socket = connection.socket;
          socket.write(bytes);
        },
      });
      const client = stage.connect();
      client.send(`GET / HTTP/${version}`, "Host: x", "", "");
      await client.sees("half");
      socket?.[cut]();
      await stage.closed(client);
      const view = await stage.answers(client, ["GET"]);
      check(
        view.responses.length === 0,
        "wrong",
        () => `half a body looked whole: ${quote(client.unread)}`,
      );
    },
  };
}

function upstreamLeavesUpload(cut: Cut): Case {
  return {
    name: `an upstream that ${CUTS[cut]} in the middle of an upload`,
    run: async (stage) => {
      stage.upstream.play({ head: ({ socket }) => void socket[cut]() });
      const client = stage.connect();
      client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 4000000", "");
      client.send("", "x".repeat(4_000_000));
      const view = await stage.answers(client, ["POST"]);
      const status = view.responses.at(-1)?.status;
      // A reset may overtake the answer when the client is still sending.
      check(
        status === 502 || status === 503 || view.ending !== undefined,
        "wrong",
        () => `answered ${status ?? 0}`,
      );
    },
  };
}

const TOO_LARGE = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n";

/** The upstream has its answer before it has the request. */
function earlyAnswer(name: string, head: string, ends: boolean): Case {
  return {
    name,
    run: async (stage) => {
      stage.upstream.play({
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
      const client = stage.connect();
      client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 400000", "");
      client.send("", "x".repeat(200_000));
      await client.sees("big").catch(() => undefined);
      client.send("x".repeat(200_000)).get("/next");
      const view = await stage.answers(client, ["POST", "GET"]);
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
        () => `the next answer: ${quote(client.unread)}`,
      );
    },
  };
}

/** An answer while the upload stands still: neither side may be held. */
async function answeredWhileUploadStands(stage: Stage): Promise<void> {
  stage.upstream.play({
    head: ({ socket }) => void socket.write(`${TOO_LARGE}\r\nbig`),
  });
  const client = stage.connect();
  client.send("POST / HTTP/1.1", "Host: x", "Content-Length: 100", "", "part");
  const view = await stage.answers(client, ["POST"]);
  check(view.responses[0]?.status === 413, "wrong", () => quote(client.unread));
  client.socket.destroy();
  await stage.until(
    "the upstream's connection to end",
    () => stage.upstream.openCount === 0,
    { kind: "leak", ms: AT_ONCE_MS },
  );
}

async function silentUpstream(stage: Stage): Promise<void> {
  stage.upstream.play({ request: () => undefined });
  const client = stage.connect().get("/");
  const view = await stage.answers(client, ["GET"]);
  const status = view.responses[0]?.status ?? 0;
  check([502, 504].includes(status), "wrong", `answered ${status}`);
  await stage.until(
    "the upstream's request to end",
    () => stage.upstream.openCount === 0,
    { kind: "leak", ms: AT_ONCE_MS },
  );
}

async function pausingHead(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }) => void socket.write("HTTP/1.1 200 OK\r\nX-A: 1\r\n"),
  });
  const client = stage.connect().get("/");
  const view = await stage.answers(client, ["GET"]);
  const status = view.responses[0]?.status ?? 0;
  check([502, 504].includes(status), "wrong", `answered ${status}`);
}

export const ABORTS: Chapter[] = [
  {
    title: "clients that leave",
    cases: [
      ...ENTRIES.map(([cut]) => clientLeavesHead(cut)),
      ...CLIENT_STAGES.flatMap((at) =>
        ENTRIES.map(([cut]) => clientLeaves(cut, at)),
      ),
    ],
  },
  {
    title: "upstreams that leave",
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
      { name: "an upstream that never answers", run: silentUpstream },
      { name: "an upstream that stops in mid-head", run: pausingHead },
    ],
  },
  {
    title: "answers before the upload is complete",
    cases: [
      earlyAnswer(
        "and the upstream closes",
        `${TOO_LARGE}Connection: close\r\n`,
        true,
      ),
      earlyAnswer("and the upstream reads on", TOO_LARGE, false),
      { name: "and the client stops sending", run: answeredWhileUploadStands },
    ],
  },
];
