import { check, type Chapter } from "./case.js";
import { quote, type Stage } from "./stage.js";
import { echoBody } from "./upstream.js";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Answers each connection's first request and cuts it off as the second one comes, as if its idle time ended then. */
function playRace(stage: Stage, cut: "end" | "resetAndDestroy"): void {
  stage.upstream.play({
    request: ({ socket, requests }) => {
      if (requests.length === 1) socket.write(OK);
      else socket[cut]();
    },
  });
}

async function repeatsGet(stage: Stage): Promise<void> {
  for (const cut of ["resetAndDestroy", "end"] as const) {
    playRace(stage, cut);
    for (let turn = 0; turn < 10; turn++) {
      const { status } = await stage.get(`/${turn}`);
      check(status === 200, "wrong", `turn ${turn} was answered ${status}`);
    }
  }
}

async function neverRepeatsPost(stage: Stage): Promise<void> {
  playRace(stage, "resetAndDestroy");
  await stage.get("/first");
  const client = stage.connect();
  client.send("POST /order HTTP/1.1", "Host: x", "Content-Length: 5", "");
  client.send("", "hello");
  const view = await stage.answers(client, ["POST"]);
  const orders = stage.upstream.requests.filter(
    ({ target }) => target === "/order",
  );
  check(orders.length === 1, "wrong", `the POST came ${orders.length} times`);
  check(
    view.responses[0]?.status === 502,
    "wrong",
    () => `answered ${view.responses[0]?.status ?? 0}`,
  );
}

/** What had begun to be answered is not repeated. */
async function neverRepeatsAnswered(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket, requests }) => {
      if (requests.length === 1) socket.write(OK);
      else socket.end("HTTP/1.1 200 OK\r\nX-A");
    },
  });
  await stage.get("/first");
  const { status } = await stage.get("/second");
  check(status === 502, "wrong", `answered ${status}`);
  const count = stage.upstream.requests.length;
  check(count === 2, "wrong", `${count} requests went upstream`);
}

async function dropsClosedIdle(stage: Stage): Promise<void> {
  for (const cut of ["end", "destroy", "resetAndDestroy"] as const) {
    await stage.get("/before");
    for (const { socket } of stage.upstream.connections)
      if (!socket.destroyed) socket[cut]();
    await stage.until(
      "the idle connection to end",
      () => stage.upstream.openCount === 0,
    );
    const client = stage.connect();
    client.send("POST /p HTTP/1.1", "Host: x", "Content-Length: 5", "");
    client.send("", "hello");
    const view = await stage.answers(client, ["POST"]);
    check(
      view.responses[0]?.status === 200,
      "wrong",
      () => `a POST after the upstream's ${cut}: ${quote(client.unread)}`,
    );
  }
}

async function honoursClose(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }) =>
      void socket.write(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      ),
  });
  for (let turn = 0; turn < 3; turn++) await stage.get(`/${turn}`);
  for (const { requests } of stage.upstream.connections)
    check(requests.length <= 1, "wrong", "it was used again");
}

async function honoursHttp10(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }) =>
      void socket.write("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  });
  for (let turn = 0; turn < 3; turn++) await stage.get(`/${turn}`);
  for (const { requests } of stage.upstream.connections)
    check(requests.length <= 1, "wrong", "it was used again");
}

async function reuses(stage: Stage): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await stage.get(`/${turn}`);
  const count = stage.upstream.connections.length;
  check(count === 1, "wrong", `${count} connections for 20 requests in turn`);
}

async function closesForClient(stage: Stage): Promise<void> {
  const client = stage.connect().get("/", "Connection: close").get("/behind");
  const view = await stage.answers(client, ["GET"]);
  check(view.responses[0]?.status === 200, "wrong", () => quote(client.unread));
  await stage.closed(client);
  const targets = stage.upstream.requests.map(({ target }) => target).join();
  check(targets === "/", "lax", `the upstream got ${targets}`);
}

async function keepsForClient(stage: Stage): Promise<void> {
  const client = stage.connect();
  for (let turn = 1; turn <= 5; turn++) {
    client.get(`/${turn}`);
    const methods = Array.from({ length: turn }, () => "GET");
    const { responses } = await stage.answers(client, methods);
    check(responses.at(-1)?.body === `GET /${turn} 0`, "wrong", () =>
      quote(client.unread),
    );
  }
}

async function closesHttp10(stage: Stage): Promise<void> {
  const client = stage.connect().send("GET / HTTP/1.0", "Host: x", "", "");
  const view = await stage.answers(client, ["GET"]);
  check(view.responses[0]?.status === 200, "wrong", () => quote(client.unread));
  await stage.closed(client);
}

/** @param order in which the upstream answers */
async function pipelines(stage: Stage, order: number[]): Promise<void> {
  const waiting = new Map<string, () => unknown>();
  stage.upstream.play({
    request: ({ socket }, { target }) => {
      waiting.set(target, () =>
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`,
        ),
      );
      if (waiting.size < order.length && stage.upstream.connections.length > 1)
        return;
      // One after the other is as right as all at once: whoever forwards no second one gets the first one's answer.
      for (const i of order) {
        waiting.get(`/${i}`)?.();
        waiting.delete(`/${i}`);
      }
    },
  });
  const client = stage.connect();
  const heads = order.map((_, i) => `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
  client.send(heads.join(""));
  const { responses, malformed } = await stage.answers(
    client,
    order.map(() => "GET"),
  );
  const bodies = responses.map(({ body }) => body).join();
  check(
    bodies === order.map((_, i) => `/${i}`).join(),
    "poisoned",
    () => `answers: ${bodies} ${malformed ?? ""}`,
  );
}

async function pipelinesMixed(stage: Stage): Promise<void> {
  const client = stage.connect();
  const methods = ["HEAD", "GET", "POST", "GET"];
  client.send(
    [
      "HEAD /0 HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
    ].join(""),
  );
  const view = await stage.answers(client, methods);
  const bodies = view.responses.map(({ body }) => body).join();
  check(
    bodies === ",GET /1 0,POST /2 5,GET /3 0",
    "poisoned",
    () => `answers: ${bodies} ${view.malformed ?? ""}`,
  );
}

async function pipelinesBad(stage: Stage): Promise<void> {
  const client = stage.connect().get("/good");
  client.send("GET /bad HTTP/1.1", "Host: a", "Host: b", "", "").get("/behind");
  const view = await stage.answers(client, ["GET", "GET", "GET"], 2);
  await stage.closed(client);
  const statuses = view.responses.map(({ status }) => status).join();
  const targets = stage.upstream.requests.map(({ target }) => target).join();
  check(!targets.includes("/behind"), "lax", `the upstream got ${targets}`);
  check(statuses === "200,400", "wrong", `answered ${statuses}`);
}

/** What cannot be parsed is not answered in place of a request whose own answer takes its time. */
async function answersBeforeError(stage: Stage): Promise<void> {
  let answer: () => unknown = () => undefined;
  stage.upstream.play({
    request: ({ socket }) => {
      answer = () => socket.write(OK);
    },
  });
  const client = stage.connect().get("/slow").send("NONSENSE\r\n\r\n");
  await stage.upstream.sees("\r\n\r\n");
  setTimeout(() => answer(), 100);
  const view = await stage.answers(client, ["GET", "GET"]);
  const statuses = view.responses.map(({ status }) => status).join();
  check(
    statuses === "200,400" || statuses === "200",
    "wrong",
    `answered ${statuses}`,
  );
  await stage.closed(client);
}

async function pipelinesMany(stage: Stage): Promise<void> {
  const targets = Array.from({ length: 1500 }, (_, i) => `/${i}`);
  const client = stage.connect();
  client.send(
    targets
      .map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
      .join(""),
  );
  const last = echoBody({ method: "GET", target: "/1499", body: "" });
  await stage.until(
    "all answers",
    () => client.unread.endsWith(last) || client.ending !== undefined,
    { ms: 20_000 },
  );
  const methods = targets.map(() => "GET");
  const { responses } = await stage.answers(client, methods);
  const bodies = responses.map(({ body }) => body).join();
  const expected = targets.map((target) => `GET ${target} 0`).join();
  check(bodies === expected, "poisoned", `${responses.length} answers`);
}

/** More requests than anybody will answer at once: the proxy must not take them all in. */
async function boundsPipeline(stage: Stage): Promise<void> {
  stage.upstream.play({ request: () => undefined });
  const before = stage.proxy.residentBytes;
  const client = stage.connect();
  const requests = `GET /p HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(2000);
  for (let i = 0; i < 100; i++) client.send(requests);
  await stage.answers(client, ["GET"]);
  const grown = (stage.proxy.residentBytes - before) / 1e6;
  const count = stage.upstream.requests.length;
  client.socket.destroy();
  check(count <= 100, "leak", `${count} of 200,000 requests went upstream`);
  check(grown < 100, "leak", `memory grew by ${Math.round(grown)} MB`);
}

export const KEEP_ALIVE: Chapter[] = [
  {
    title: "kept-alive connections",
    cases: [
      { name: "are used again", run: reuses },
      { name: "that the upstream closed are not used", run: dropsClosedIdle },
      { name: "that end as a GET uses them: it is repeated", run: repeatsGet },
      {
        name: "that end as a POST uses them: 502, not repeated",
        run: neverRepeatsPost,
      },
      {
        name: "that end in mid-head: 502, not repeated",
        run: neverRepeatsAnswered,
      },
      {
        name: "that the upstream asks to close are not used again",
        run: honoursClose,
      },
      { name: "are not assumed of an HTTP/1.0 upstream", run: honoursHttp10 },
      { name: "carry a client's later requests", run: keepsForClient },
      {
        name: "end where the client asks for it, nothing behind it is taken",
        run: closesForClient,
      },
      { name: "are not assumed of an HTTP/1.0 client", run: closesHttp10 },
    ],
  },
  {
    title: "pipelined requests",
    cases: [
      {
        name: "are answered in order",
        run: (stage) => pipelines(stage, [0, 1, 2, 3]),
      },
      {
        name: "are answered in order though the upstream answers the last one first",
        run: (stage) => pipelines(stage, [3, 2, 1, 0]),
      },
      { name: "of several methods", run: pipelinesMixed },
      { name: "behind a malformed one are not taken", run: pipelinesBad },
      {
        name: "that cannot be parsed are answered in their turn",
        run: answersBeforeError,
      },
      { name: "1,500 of them are answered in order", run: pipelinesMany },
      {
        name: "200,000 of them without answers do not fill the memory",
        run: boundsPipeline,
        ownProcess: true,
        timeoutMs: 40_000,
      },
    ],
  },
];
