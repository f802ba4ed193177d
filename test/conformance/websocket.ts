import { check, type Case, type CaseGroup } from "./case.js";
import { quote, type Harness } from "./harness.js";
import { valuesIn } from "./strict-http.js";

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

const HEADERS = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: x",
  "Sec-WebSocket-Version: 13",
];

function ask(harness: Harness) {
  return harness.connect().get("/chat", ...HEADERS);
}

/** An open tunnel. */
async function open(harness: Harness) {
  harness.upstream.handle({
    request: ({ socket }, { headers }) => {
      if (valuesIn(headers, "upgrade").length > 0) socket.write(SWITCH);
    },
  });
  const client = ask(harness);
  const upstream = await harness.upstream.sees("\r\n\r\n");
  await client.sees("\r\n\r\n");
  check(client.unread.startsWith("HTTP/1.1 101 "), "wrong", () =>
    quote(client.unread),
  );
  return { client, upstream };
}

/** Bytes in a tunnel are forwarded as they are, even if they look like HTTP. */
async function carries(harness: Harness): Promise<void> {
  const { client, upstream } = await open(harness);
  upstream.socket.write("from-upstream");
  await client.sees("from-upstream");
  client.send("GET /from-client HTTP/1.1\r\nHost: x\r\n\r\n");
  await harness.upstream.sees("/from-client");
  check(
    harness.upstream.connections.length === 1,
    "smuggled",
    "bytes in the tunnel were parsed as a request",
  );
  client.socket.destroy();
}

async function rejectedWith(harness: Harness, answer: string, body: string) {
  harness.upstream.handle({
    request: ({ socket }) => void socket.write(answer),
  });
  const client = ask(harness);
  const { responses, malformed } = await harness.awaitResponses(client, [
    "GET",
  ]);
  const [first] = responses;
  check(
    first?.status === 401 && first.body === body && malformed === undefined,
    "wrong",
    () => `the client got ${malformed ?? quote(client.unread)}`,
  );
  // The connection must still be in order for a request after the rejected handshake.
  if (client.ending === undefined) client.get("/following");
  await harness.awaitResponses(client, ["GET", "GET"]);
}

async function leavesBefore(
  harness: Harness,
  cut: "end" | "destroy" | "resetAndDestroy",
): Promise<void> {
  harness.upstream.handle({ request: () => undefined });
  const clients = Array.from({ length: 20 }, () => ask(harness));
  await harness.until(
    "the handshakes",
    () => harness.upstream.requests.length === clients.length,
  );
  for (const client of clients) client.socket[cut]();
  await harness.until(
    "the upstream connections to end",
    () => harness.upstream.openCount === 0,
    { kind: "leak", ms: cut === "end" ? 6000 : 1500 },
  );
}

async function upstreamLeavesBefore(
  harness: Harness,
  cut: "end" | "resetAndDestroy",
): Promise<void> {
  harness.upstream.handle({ request: ({ socket }) => void socket[cut]() });
  const client = ask(harness);
  const { responses } = await harness.awaitResponses(client, ["GET"]);
  const status = responses[0]?.status ?? 0;
  check([502, 503].includes(status), "wrong", `answered ${status}`);
}

async function earlyBytes(harness: Harness): Promise<void> {
  harness.upstream.handle({ request: () => undefined });
  const client = ask(harness).send("early-client");
  const upstream = await harness.upstream.sees("\r\n\r\n");
  upstream.socket.write(`${SWITCH}early-upstream`);
  await client.sees("early-upstream");
  await harness.upstream.sees("early-client");
  client.socket.destroy();
}

/** A request pipelined after a handshake that is rejected. */
async function pipelinedAfterRejection(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }, { target }) =>
      void socket.write(
        target === "/chat"
          ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ),
  });
  const client = ask(harness).get("/following");
  const view = await harness.awaitResponses(client, ["GET", "GET"]);
  const [first, second] = view.responses;
  check(first?.status === 403, "wrong", () => quote(client.unread));
  // It may be answered or dropped, but not half answered.
  check(
    second === undefined ? view.ending !== undefined : second.body === "ok",
    "wrong",
    () => quote(client.unread),
  );
}

async function endsWith(harness: Harness, who: "client" | "upstream") {
  for (const cut of ["end", "resetAndDestroy"] as const) {
    const { client, upstream } = await open(harness);
    if (who === "client") client.socket[cut]();
    else upstream.socket[cut]();
    await harness.until(
      "the other peer's connection to end",
      () =>
        harness.upstream.openCount === 0 &&
        (who === "client" || client.ending !== undefined),
      { kind: "leak", ms: 3000 },
    );
    client.socket.destroy();
    await harness.upstream.reset();
  }
}

/** Without a 101 there is no tunnel (websocket smuggling). */
async function falseSwitch(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }, { target }) =>
      void socket.write(
        target === "/chat"
          ? "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nSec-WebSocket-Version: 13\r\n\r\n"
          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ),
  });
  const client = ask(harness);
  await harness.awaitResponses(client, ["GET"]);
  client.send("GET /internal HTTP/1.1", "Host: x", "X-Forwarded-For: evil");
  client.send("", "", "");
  await harness.awaitResponses(client, ["GET", "GET"]);
  const internal = harness.upstream.requests.find(
    ({ target }) => target === "/internal",
  );
  // A request passes the proxy's rules; bytes in a tunnel would not.
  const connection = harness.upstream.connections[0];
  check(
    internal === undefined ||
      connection?.requests.length !== 2 ||
      client.unread.includes("ok"),
    "smuggled",
    "a rejected handshake opened a tunnel",
  );
}

async function handshakeTimeout(harness: Harness): Promise<void> {
  harness.upstream.handle({ request: () => undefined });
  const client = ask(harness);
  const { responses } = await harness.awaitResponses(client, ["GET"]);
  const status = responses[0]?.status ?? 0;
  check([502, 504].includes(status), "wrong", `answered ${status}`);
}

async function otherProtocol(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }) =>
      void socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
      ),
  });
  const client = harness
    .connect()
    .get("/", "Connection: Upgrade", "Upgrade: h2c");
  const { responses } = await harness.awaitResponses(client, ["GET"]);
  const status = responses[0]?.status ?? 0;
  check(status !== 101, "smuggled", "a tunnel for h2c was opened");
}

/** On SIGTERM the proxy closes its tunnels and ends. */
async function drains(harness: Harness): Promise<void> {
  const { client } = await open(harness);
  harness.proxy.signal("SIGTERM");
  await harness.closed(client).catch(() => undefined);
  await Promise.race([
    harness.proxy.untilEnded(),
    new Promise((resolve) => setTimeout(resolve, 10_000).unref()),
  ]);
  const { ending } = harness.proxy;
  check(ending !== undefined, "hang", "the proxy did not end within 10 s");
  check(ending === 0, "wrong", `the proxy ended with ${ending}`);
  check(
    client.ending === "ended",
    "wrong",
    `the client's connection was ${client.ending ?? "left open"}`,
  );
}

const REJECTIONS: [string, string, string][] = [
  [
    "with a length",
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nwho",
    "who",
  ],
  [
    "chunked",
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
  { name: "bytes pass through a tunnel in both directions", run: carries },
  ...REJECTIONS.map(([name, answer, body]) => ({
    name: `a rejection is forwarded: ${name}`,
    run: (harness: Harness) => rejectedWith(harness, answer, body),
  })),
  ...(["end", "destroy", "resetAndDestroy"] as const).map((cut) => ({
    name: `20 clients that disconnect before the 101 (${cut})`,
    run: (harness: Harness) => leavesBefore(harness, cut),
  })),
  ...(["end", "resetAndDestroy"] as const).map((cut) => ({
    name: `an upstream that disconnects before the 101 (${cut})`,
    run: (harness: Harness) => upstreamLeavesBefore(harness, cut),
  })),
  { name: "bytes sent by either peer before the 101 arrive", run: earlyBytes },
  {
    name: "a request after a rejected handshake",
    run: pipelinedAfterRejection,
  },
  {
    name: "the upstream connection closes with the client's",
    run: (harness) => endsWith(harness, "client"),
  },
  {
    name: "the client connection closes with the upstream's",
    run: (harness) => endsWith(harness, "upstream"),
  },
  { name: "a rejected handshake opens no tunnel", run: falseSwitch },
  { name: "a handshake without a response", run: handshakeTimeout },
  { name: "no tunnel for another protocol", run: otherProtocol },
  {
    name: "tunnels and the proxy end on SIGTERM",
    run: drains,
    ownProcess: true,
    oursOnly: true,
  },
];

export const WEBSOCKET: CaseGroup = { title: "WebSocket", cases: CASES };
