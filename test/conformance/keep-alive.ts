import { check, type CaseGroup } from "./case.js";
import { quote, type Harness } from "./harness.js";
import { echoBody } from "./upstream.js";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Answers the first request of each connection and closes it at the second, as if its idle timeout expired then. */
function cutSecondRequest(
  harness: Harness,
  cut: "end" | "resetAndDestroy",
): void {
  harness.upstream.handle({
    request: ({ socket, requests }) => {
      if (requests.length === 1) socket.write(OK);
      else socket[cut]();
    },
  });
}

async function retriesGet(harness: Harness): Promise<void> {
  for (const cut of ["resetAndDestroy", "end"] as const) {
    cutSecondRequest(harness, cut);
    for (let turn = 0; turn < 10; turn++) {
      const { status } = await harness.get(`/${turn}`);
      check(status === 200, "wrong", `request ${turn} was answered ${status}`);
    }
  }
}

async function neverRetriesPost(harness: Harness): Promise<void> {
  cutSecondRequest(harness, "resetAndDestroy");
  await harness.get("/first");
  const client = harness.connect();
  client.send("POST /order HTTP/1.1", "Host: x", "Content-Length: 5", "");
  client.send("", "hello");
  const view = await harness.awaitResponses(client, ["POST"]);
  const orders = harness.upstream.requests.filter(
    ({ target }) => target === "/order",
  );
  check(
    orders.length === 1,
    "wrong",
    `the POST was sent ${orders.length} times`,
  );
  check(
    view.responses[0]?.status === 502,
    "wrong",
    () => `answered ${view.responses[0]?.status ?? 0}`,
  );
}

/** A request whose response has begun is not retried. */
async function neverRetriesAnswered(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket, requests }) => {
      if (requests.length === 1) socket.write(OK);
      else socket.end("HTTP/1.1 200 OK\r\nX-A");
    },
  });
  await harness.get("/first");
  const { status } = await harness.get("/second");
  check(status === 502, "wrong", `answered ${status}`);
  const count = harness.upstream.requests.length;
  check(count === 2, "wrong", `${count} requests went upstream`);
}

async function dropsClosedIdle(harness: Harness): Promise<void> {
  for (const cut of ["end", "destroy", "resetAndDestroy"] as const) {
    await harness.get("/before");
    for (const { socket } of harness.upstream.connections)
      if (!socket.destroyed) socket[cut]();
    await harness.until(
      "the idle connection to end",
      () => harness.upstream.openCount === 0,
    );
    const client = harness.connect();
    client.send("POST /p HTTP/1.1", "Host: x", "Content-Length: 5", "");
    client.send("", "hello");
    const view = await harness.awaitResponses(client, ["POST"]);
    check(
      view.responses[0]?.status === 200,
      "wrong",
      () => `a POST after the upstream's ${cut}: ${quote(client.unread)}`,
    );
  }
}

async function honoursClose(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }) =>
      void socket.write(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      ),
  });
  for (let turn = 0; turn < 3; turn++) await harness.get(`/${turn}`);
  for (const { requests } of harness.upstream.connections)
    check(requests.length <= 1, "wrong", "the connection was reused");
}

async function honoursHttp10(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }) =>
      void socket.write("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  });
  for (let turn = 0; turn < 3; turn++) await harness.get(`/${turn}`);
  for (const { requests } of harness.upstream.connections)
    check(requests.length <= 1, "wrong", "the connection was reused");
}

async function reuses(harness: Harness): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await harness.get(`/${turn}`);
  const count = harness.upstream.connections.length;
  check(
    count === 1,
    "wrong",
    `${count} connections for 20 sequential requests`,
  );
}

async function closesForClient(harness: Harness): Promise<void> {
  const client = harness
    .connect()
    .get("/", "Connection: close")
    .get("/following");
  const view = await harness.awaitResponses(client, ["GET"]);
  check(view.responses[0]?.status === 200, "wrong", () => quote(client.unread));
  await harness.closed(client);
  const targets = harness.upstream.requests.map(({ target }) => target).join();
  check(targets === "/", "lax", `the upstream got ${targets}`);
}

async function keepsForClient(harness: Harness): Promise<void> {
  const client = harness.connect();
  for (let turn = 1; turn <= 5; turn++) {
    client.get(`/${turn}`);
    const methods = Array.from({ length: turn }, () => "GET");
    const { responses } = await harness.awaitResponses(client, methods);
    check(responses.at(-1)?.body === `GET /${turn} 0`, "wrong", () =>
      quote(client.unread),
    );
  }
}

async function closesHttp10(harness: Harness): Promise<void> {
  const client = harness.connect().send("GET / HTTP/1.0", "Host: x", "", "");
  const view = await harness.awaitResponses(client, ["GET"]);
  check(view.responses[0]?.status === 200, "wrong", () => quote(client.unread));
  await harness.closed(client);
}

/** @param order in which the upstream answers */
async function pipelines(harness: Harness, order: number[]): Promise<void> {
  const waiting = new Map<string, () => unknown>();
  harness.upstream.handle({
    request: ({ socket }, { target }) => {
      waiting.set(target, () =>
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`,
        ),
      );
      if (
        waiting.size < order.length &&
        harness.upstream.connections.length > 1
      )
        return;
      // A proxy may also forward one request at a time: it then gets each response at once.
      for (const i of order) {
        waiting.get(`/${i}`)?.();
        waiting.delete(`/${i}`);
      }
    },
  });
  const client = harness.connect();
  const heads = order.map((_, i) => `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
  client.send(heads.join(""));
  const { responses, malformed } = await harness.awaitResponses(
    client,
    order.map(() => "GET"),
  );
  const bodies = responses.map(({ body }) => body).join();
  check(
    bodies === order.map((_, i) => `/${i}`).join(),
    "poisoned",
    () => `responses: ${bodies} ${malformed ?? ""}`,
  );
}

async function pipelinesMixed(harness: Harness): Promise<void> {
  const client = harness.connect();
  const methods = ["HEAD", "GET", "POST", "GET"];
  client.send(
    [
      "HEAD /0 HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
    ].join(""),
  );
  const view = await harness.awaitResponses(client, methods);
  const bodies = view.responses.map(({ body }) => body).join();
  check(
    bodies === ",GET /1 0,POST /2 5,GET /3 0",
    "poisoned",
    () => `responses: ${bodies} ${view.malformed ?? ""}`,
  );
}

async function pipelinesBad(harness: Harness): Promise<void> {
  const client = harness.connect().get("/good");
  client
    .send("GET /bad HTTP/1.1", "Host: a", "Host: b", "", "")
    .get("/following");
  const view = await harness.awaitResponses(client, ["GET", "GET", "GET"], 2);
  await harness.closed(client);
  const statuses = view.responses.map(({ status }) => status).join();
  const targets = harness.upstream.requests.map(({ target }) => target).join();
  check(!targets.includes("/following"), "lax", `the upstream got ${targets}`);
  check(statuses === "200,400", "wrong", `answered ${statuses}`);
}

/** The 400 for an unparsable request does not overtake the response to an earlier, slow one. */
async function errorKeepsOrder(harness: Harness): Promise<void> {
  let answer: () => unknown = () => undefined;
  harness.upstream.handle({
    request: ({ socket }) => {
      answer = () => socket.write(OK);
    },
  });
  const client = harness.connect().get("/slow").send("NONSENSE\r\n\r\n");
  await harness.upstream.sees("\r\n\r\n");
  setTimeout(() => answer(), 100);
  const view = await harness.awaitResponses(client, ["GET", "GET"]);
  const statuses = view.responses.map(({ status }) => status).join();
  check(
    statuses === "200,400" || statuses === "200",
    "wrong",
    `answered ${statuses}`,
  );
  await harness.closed(client);
}

async function pipelinesMany(harness: Harness): Promise<void> {
  const targets = Array.from({ length: 1500 }, (_, i) => `/${i}`);
  const client = harness.connect();
  client.send(
    targets
      .map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
      .join(""),
  );
  const last = echoBody({ method: "GET", target: "/1499", body: "" });
  await harness.until(
    "all responses",
    () => client.unread.endsWith(last) || client.ending !== undefined,
    { ms: 20_000 },
  );
  const methods = targets.map(() => "GET");
  const { responses } = await harness.awaitResponses(client, methods);
  const bodies = responses.map(({ body }) => body).join();
  const expected = targets.map((target) => `GET ${target} 0`).join();
  check(bodies === expected, "poisoned", `${responses.length} responses`);
}

/** A client pipelines without limit: the proxy must stop reading. */
async function boundsPipeline(harness: Harness): Promise<void> {
  harness.upstream.handle({ request: () => undefined });
  const before = harness.proxy.residentBytes;
  const client = harness.connect();
  const requests = `GET /p HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(2000);
  for (let i = 0; i < 100; i++) client.send(requests);
  await harness.awaitResponses(client, ["GET"]);
  const grown = (harness.proxy.residentBytes - before) / 1e6;
  const count = harness.upstream.requests.length;
  client.socket.destroy();
  check(count <= 100, "leak", `${count} of 200,000 requests went upstream`);
  check(grown < 100, "leak", `memory grew by ${Math.round(grown)} MB`);
}

export const KEEP_ALIVE: CaseGroup[] = [
  {
    title: "kept-alive connections",
    cases: [
      { name: "are reused", run: reuses },
      {
        name: "that the upstream has closed are not reused",
        run: dropsClosedIdle,
      },
      { name: "that close under a GET: it is retried", run: retriesGet },
      {
        name: "that close under a POST: 502, not retried",
        run: neverRetriesPost,
      },
      {
        name: "that close within the response head: 502, not retried",
        run: neverRetriesAnswered,
      },
      {
        name: "with Connection: close from the upstream are not reused",
        run: honoursClose,
      },
      { name: "to an HTTP/1.0 upstream are not reused", run: honoursHttp10 },
      { name: "serve the client's next requests", run: keepsForClient },
      {
        name: "with Connection: close from the client are closed, and pipelined requests ignored",
        run: closesForClient,
      },
      { name: "of an HTTP/1.0 client are closed", run: closesHttp10 },
    ],
  },
  {
    title: "pipelined requests",
    cases: [
      {
        name: "are answered in order",
        run: (harness) => pipelines(harness, [0, 1, 2, 3]),
      },
      {
        name: "are answered in order when the upstream responds in reverse order",
        run: (harness) => pipelines(harness, [3, 2, 1, 0]),
      },
      { name: "with different methods", run: pipelinesMixed },
      { name: "after a malformed one are ignored", run: pipelinesBad },
      {
        name: "that cannot be parsed are answered in order",
        run: errorKeepsOrder,
      },
      { name: "1,500 of them are answered in order", run: pipelinesMany },
      {
        name: "200,000 of them without a response do not fill memory",
        run: boundsPipeline,
        ownProcess: true,
        timeoutMs: 40_000,
      },
    ],
  },
];
