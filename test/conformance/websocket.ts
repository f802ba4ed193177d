import { check, type Case, type Chapter } from "./case.js";
import { quote, type Stage } from "./stage.js";
import { valuesIn } from "./strict-http.js";

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

const HEADERS = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: x",
  "Sec-WebSocket-Version: 13",
];

function ask(stage: Stage) {
  return stage.connect().get("/chat", ...HEADERS);
}

/** A tunnel that stands. */
async function open(stage: Stage) {
  stage.upstream.play({
    request: ({ socket }, { headers }) => {
      if (valuesIn(headers, "upgrade").length > 0) socket.write(SWITCH);
    },
  });
  const client = ask(stage);
  const upstream = await stage.upstream.sees("\r\n\r\n");
  await client.sees("\r\n\r\n");
  check(client.unread.startsWith("HTTP/1.1 101 "), "wrong", () =>
    quote(client.unread),
  );
  return { client, upstream };
}

/** What arrives on a tunnel is not HTTP: the upstream is told to expect it. */
async function carries(stage: Stage): Promise<void> {
  const { client, upstream } = await open(stage);
  upstream.socket.write("from-upstream");
  await client.sees("from-upstream");
  client.send("GET /from-client HTTP/1.1\r\nHost: x\r\n\r\n");
  await stage.upstream.sees("/from-client");
  check(
    stage.upstream.connections.length === 1,
    "smuggled",
    "what goes through the tunnel was taken for a request",
  );
  client.socket.destroy();
}

async function refusedWith(stage: Stage, answer: string, body: string) {
  stage.upstream.play({ request: ({ socket }) => void socket.write(answer) });
  const client = ask(stage);
  const { responses, malformed } = await stage.answers(client, ["GET"]);
  const [first] = responses;
  check(
    first?.status === 401 && first.body === body && malformed === undefined,
    "wrong",
    () => `the client got ${malformed ?? quote(client.unread)}`,
  );
  // Bytes that a client sent in the belief that it had a tunnel must not become a request.
  if (client.ending === undefined) client.get("/behind");
  await stage.answers(client, ["GET", "GET"]);
}

async function leavesBefore(
  stage: Stage,
  cut: "end" | "destroy" | "resetAndDestroy",
): Promise<void> {
  stage.upstream.play({ request: () => undefined });
  const clients = Array.from({ length: 20 }, () => ask(stage));
  await stage.until(
    "the handshakes",
    () => stage.upstream.requests.length === clients.length,
  );
  for (const client of clients) client.socket[cut]();
  await stage.until(
    "the upstream's connections to end",
    () => stage.upstream.openCount === 0,
    { kind: "leak", ms: cut === "end" ? 6000 : 1500 },
  );
}

async function upstreamLeavesBefore(
  stage: Stage,
  cut: "end" | "resetAndDestroy",
): Promise<void> {
  stage.upstream.play({ request: ({ socket }) => void socket[cut]() });
  const client = ask(stage);
  const { responses } = await stage.answers(client, ["GET"]);
  const status = responses[0]?.status ?? 0;
  check([502, 503].includes(status), "wrong", `answered ${status}`);
}

async function earlyBytes(stage: Stage): Promise<void> {
  stage.upstream.play({ request: () => undefined });
  const client = ask(stage).send("early-client");
  const upstream = await stage.upstream.sees("\r\n\r\n");
  upstream.socket.write(`${SWITCH}early-upstream`);
  await client.sees("early-upstream");
  await stage.upstream.sees("early-client");
  client.socket.destroy();
}

/** Bytes behind a handshake that is refused are no request either. */
async function earlyBytesRefused(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }, { target }) =>
      void socket.write(
        target === "/chat"
          ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ),
  });
  const client = ask(stage).get("/behind");
  const view = await stage.answers(client, ["GET", "GET"]);
  const [first, second] = view.responses;
  check(first?.status === 403, "wrong", () => quote(client.unread));
  // Pipelined HTTP behind a refusal may be answered or dropped, but not half.
  check(
    second === undefined ? view.ending !== undefined : second.body === "ok",
    "wrong",
    () => quote(client.unread),
  );
}

async function endsWith(stage: Stage, who: "client" | "upstream") {
  for (const cut of ["end", "resetAndDestroy"] as const) {
    const { client, upstream } = await open(stage);
    if (who === "client") client.socket[cut]();
    else upstream.socket[cut]();
    await stage.until(
      "the other peer's end",
      () =>
        stage.upstream.openCount === 0 &&
        (who === "client" || client.ending !== undefined),
      { kind: "leak", ms: 3000 },
    );
    client.socket.destroy();
    await stage.upstream.reset();
  }
}

/** Without a 101 nobody has a tunnel (websocket smuggling). */
async function falseSwitch(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }, { target }) =>
      void socket.write(
        target === "/chat"
          ? "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nSec-WebSocket-Version: 13\r\n\r\n"
          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ),
  });
  const client = ask(stage);
  await stage.answers(client, ["GET"]);
  client.send("GET /internal HTTP/1.1", "Host: x", "X-Forwarded-For: evil");
  client.send("", "", "");
  await stage.answers(client, ["GET", "GET"]);
  const internal = stage.upstream.requests.find(
    ({ target }) => target === "/internal",
  );
  // Taken as a request it went through the proxy's rules; through a tunnel it would not have.
  const connection = stage.upstream.connections[0];
  check(
    internal === undefined ||
      connection?.requests.length !== 2 ||
      client.unread.includes("ok"),
    "smuggled",
    "a refused handshake opened a tunnel",
  );
}

async function handshakeTimeout(stage: Stage): Promise<void> {
  stage.upstream.play({ request: () => undefined });
  const client = ask(stage);
  const { responses } = await stage.answers(client, ["GET"]);
  const status = responses[0]?.status ?? 0;
  check([502, 504].includes(status), "wrong", `answered ${status}`);
}

async function otherProtocol(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }) =>
      void socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
      ),
  });
  const client = stage
    .connect()
    .get("/", "Connection: Upgrade", "Upgrade: h2c");
  const { responses } = await stage.answers(client, ["GET"]);
  const status = responses[0]?.status ?? 0;
  check(status !== 101, "smuggled", "a tunnel for h2c was opened");
}

/** On a stop, tunnels end and the proxy with them; nobody is waited for for ever. */
async function drains(stage: Stage): Promise<void> {
  const { client } = await open(stage);
  stage.proxy.signal("SIGTERM");
  await stage.closed(client).catch(() => undefined);
  await Promise.race([
    stage.proxy.untilEnded(),
    new Promise((resolve) => setTimeout(resolve, 10_000).unref()),
  ]);
  const { ending } = stage.proxy;
  check(ending !== undefined, "hang", "it did not end within 10 s");
  check(ending === "0", "wrong", `it ended with ${ending}`);
  check(
    client.ending === "ended",
    "wrong",
    `its client was ${client.ending ?? "left open"}`,
  );
}

const REFUSALS: [string, string, string][] = [
  [
    "with a length",
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nwho",
    "who",
  ],
  [
    "in chunks",
    "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n4\r\n are\r\n0\r\n\r\n",
    "who are",
  ],
  [
    "without a body",
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "",
  ],
];

const CASES: Case[] = [
  { name: "carries bytes both ways and reads none of them", run: carries },
  ...REFUSALS.map(([name, answer, body]) => ({
    name: `a refusal ${name} is passed on, well framed`,
    run: (stage: Stage) => refusedWith(stage, answer, body),
  })),
  ...(["end", "destroy", "resetAndDestroy"] as const).map((cut) => ({
    name: `20 clients that leave before the 101 (${cut})`,
    run: (stage: Stage) => leavesBefore(stage, cut),
  })),
  ...(["end", "resetAndDestroy"] as const).map((cut) => ({
    name: `an upstream that leaves before the 101 (${cut})`,
    run: (stage: Stage) => upstreamLeavesBefore(stage, cut),
  })),
  { name: "bytes of either peer before the 101 arrive", run: earlyBytes },
  { name: "bytes behind a handshake that is refused", run: earlyBytesRefused },
  {
    name: "a client's end ends the upstream",
    run: (stage) => endsWith(stage, "client"),
  },
  {
    name: "an upstream's end ends the client",
    run: (stage) => endsWith(stage, "upstream"),
  },
  { name: "a refused handshake opens no tunnel", run: falseSwitch },
  { name: "a handshake that nobody answers", run: handshakeTimeout },
  { name: "no tunnel for another protocol", run: otherProtocol },
  {
    name: "ends on a stop, and the proxy with it",
    run: drains,
    ownProcess: true,
    oursOnly: true,
  },
];

export const WEBSOCKET: Chapter = { title: "WebSocket", cases: CASES };
