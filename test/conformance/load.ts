import { once } from "node:events";
import type { Socket } from "node:net";
import type { RawClient } from "../support/http/raw-client.js";
import type { Holdings } from "../support/products/leak-tap.js";
import { waitFor } from "../support/wait-for.js";
import { settledValue } from "../support/wait-for-settled.js";
import { check, Fault, type Case, type CaseGroup } from "./case.js";
import type { Harness } from "./harness.js";

const MEGABYTE = 1_000_000;
/** More than the socket buffers of the kernel and Node hold together. */
const BOUND = 24 * MEGABYTE;
/** Allows for garbage that a busy process has not collected yet. */
const MEMORY_BOUND = 64 * MEGABYTE;
const STREAM = 200 * MEGABYTE;
/** Keeps requests waiting longer than the case takes on a busy machine. */
const LONG_TIMEOUT = { RESPONSE_TIMEOUT_MS: "60000" };

/** Writes `bytes` bytes with back-pressure. @returns how many have been written so far */
function pour(target: Socket, bytes: number, chunked = false): () => number {
  const chunk = Buffer.alloc(MEGABYTE / 4, "x");
  let poured = 0;
  const run = async () => {
    while (poured < bytes && !target.destroyed) {
      if (chunked) target.write(`${chunk.length.toString(16)}\r\n`);
      const flowing = target.write(chunk);
      if (chunked) target.write("\r\n");
      poured += chunk.length;
      if (!flowing) await once(target, "drain");
    }
  };
  run().catch(() => undefined);
  return () => poured;
}

async function boundsDownload(
  harness: Harness,
  chunked: boolean,
): Promise<void> {
  let poured = () => 0;
  harness.upstream.handle({
    request: ({ socket }) => {
      const framing = chunked
        ? "Transfer-Encoding: chunked"
        : `Content-Length: ${STREAM}`;
      socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      poured = pour(socket, STREAM, chunked);
    },
  });
  const before = harness.proxy.residentBytes;
  const client = harness.connect({ reading: false }).get("/");
  const sent = await settledValue("the upstream to be blocked", () => poured());
  checkBounded(harness, sent, before);
  client.discard();
  await harness.until(
    "the rest of the download",
    () => client.bytes > sent + BOUND,
  );
  client.socket.destroy();
}

async function boundsUpload(harness: Harness, chunked: boolean): Promise<void> {
  harness.upstream.handle({ head: ({ socket }) => void socket.pause() });
  const before = harness.proxy.residentBytes;
  const client = harness.connect();
  const framing = chunked
    ? "Transfer-Encoding: chunked"
    : `Content-Length: ${STREAM}`;
  client.send("POST / HTTP/1.1", "Host: x", framing, "", "");
  const poured = pour(client.socket, STREAM, chunked);
  const sent = await settledValue("the client to be blocked", poured);
  checkBounded(harness, sent, before);
  client.socket.destroy();
}

function checkBounded(harness: Harness, sent: number, before: number): void {
  const grown = harness.proxy.residentBytes - before;
  const mb = (bytes: number) => Math.round(bytes / MEGABYTE);
  check(sent < BOUND, "leak", `${mb(sent)} MB were read from the sender`);
  check(grown < MEMORY_BOUND, "leak", `memory grew by ${mb(grown)} MB`);
}

/** A stalled download delays no other request. */
async function servesBesideStalled(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${STREAM}\r\n\r\n`);
      pour(socket, STREAM);
    },
  });
  const client = harness.connect({ reading: false }).get("/");
  await harness.upstream.sees("\r\n\r\n");
  harness.upstream.handle({});
  for (let turn = 0; turn < 10; turn++) {
    const { status } = await harness.get(`/${turn}`);
    check(status === 200, "wrong", `answered ${status}`);
  }
  client.socket.destroy();
}

async function endsSlowHead(harness: Harness, bytes: string): Promise<void> {
  const client = harness.connect().send(bytes);
  await harness.until(
    "the slow client's connection to end",
    () => client.ending !== undefined,
    { ms: 15_000 },
  );
  check(
    harness.upstream.connections.length === 0,
    "lax",
    "the request was forwarded",
  );
}

/** Each byte of the head arrives in time, but the head as a whole has a time limit too. */
async function endsDrippingHead(harness: Harness): Promise<void> {
  const client = harness
    .connect()
    .send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  const timer = setInterval(() => {
    if (!client.socket.destroyed) client.send("a");
  }, 100);
  try {
    await harness.until(
      "the dripping client's connection to end",
      () => client.ending !== undefined,
      { ms: 15_000 },
    );
  } finally {
    clearInterval(timer);
  }
}

async function servesSlowReader(harness: Harness): Promise<void> {
  const size = 200_000;
  harness.upstream.handle({
    request: ({ socket }) =>
      void socket.write(
        `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`,
      ),
  });
  const client = harness.connect().get("/");
  client.socket.on("data", () => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 20);
  });
  const view = await harness.awaitResponses(client, ["GET"]);
  check(
    view.responses[0]?.body.length === size,
    "wrong",
    "the body was truncated",
  );
}

async function servesSlowUpload(harness: Harness): Promise<void> {
  const client = harness.connect();
  client.send("POST /slow HTTP/1.1", "Host: x", "Content-Length: 30", "", "");
  let sent = 0;
  const timer = setInterval(() => {
    client.send("x");
    if ((sent += 1) === 30) clearInterval(timer);
  }, 100);
  const view = await harness.awaitResponses(client, ["POST"]);
  clearInterval(timer);
  check(
    view.responses[0]?.body === "POST /slow 30",
    "wrong",
    `answered ${view.responses[0]?.status ?? 0}`,
  );
}

/** The memory of Node 24 grows during the first few thousand requests and then stays level. */
const WARM_UP = 2000;
const ABORTED = 5000;
const AT_ONCE = 50;
/** Less than half a kilobyte of each aborted request. */
const LEAKED_KB = 2000;
/** The allocator keeps part of what the process has freed, and that part varies. */
const RESIDENT_SWING_MB = 100;

/** Sockets, memory and timers return to their level before the aborted requests. */
async function leaksNothing(harness: Harness, abort: Abort): Promise<void> {
  await abortMany(harness, abort, WARM_UP);
  const before = await holdings(harness);
  await abortMany(harness, abort, ABORTED);
  let last = before;
  const isBack = () =>
    last.sockets <= before.sockets + 2 &&
    last.timers <= before.timers + 2 &&
    last.heldKb <= before.heldKb + LEAKED_KB &&
    last.residentMb <= before.residentMb + RESIDENT_SWING_MB;
  await waitFor("the level before", async () => {
    last = await holdings(harness);
    if (isBack()) return true;
    await harness.get("/between");
    return false;
  }).catch((err: unknown) => {
    if (err instanceof Fault) throw err;
    throw new Fault(
      "leak",
      `${JSON.stringify(before)} became ${JSON.stringify(last)}`,
    );
  });
}

async function holdings(harness: Harness) {
  const { proxy } = harness;
  const own = proxy.product.isOurs
    ? ((await proxy.ask("tell")) as Holdings)
    : { timers: 0, sockets: 0, heldBytes: 0 };
  return {
    sockets: Math.max(own.sockets, proxy.openFiles),
    timers: own.timers,
    heldKb: Math.round(own.heldBytes / 1000),
    residentMb: Math.round(proxy.residentBytes / MEGABYTE),
  };
}

interface Abort {
  name: string;
  send: string;
  /** What the upstream sends before the client disconnects. */
  answer?: string;
}

const ABORTS: Abort[] = [
  { name: "waiting", send: "GET / HTTP/1.1\r\nHost: x\r\n\r\n" },
  {
    name: "streaming",
    send: "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
  },
  {
    name: "uploading",
    send: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\npart",
  },
];

async function abortMany(harness: Harness, abort: Abort, count: number) {
  let reached = 0;
  harness.upstream.handle({
    head: ({ socket }, { target }) => {
      if (target !== "/") return;
      reached += 1;
      if (abort.answer !== undefined) socket.write(abort.answer);
    },
    request: ({ socket }, { target }) => {
      if (target !== "/")
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    },
  });
  for (let done = 0; done < count; done += AT_ONCE) {
    const clients = Array.from({ length: AT_ONCE }, () =>
      harness.connect().send(abort.send),
    );
    const wanted = (reached += 0) + AT_ONCE - (reached % AT_ONCE);
    await harness.until("requests at the upstream", () => reached >= wanted);
    if (abort.answer !== undefined)
      await Promise.all(clients.map((client) => client.sees("a\r\n")));
    disconnect(clients);
    await harness.until(
      "the upstream requests to end",
      () => harness.upstream.openCount === 0,
      { kind: "leak" },
    );
  }
}

function disconnect(clients: readonly RawClient[]): void {
  for (const [i, { socket }] of clients.entries())
    if (i % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
}

const SLOW: Case[] = [
  {
    name: "that send nothing are disconnected",
    run: (harness) => endsSlowHead(harness, ""),
    timeoutMs: 25_000,
  },
  {
    name: "that never complete a head are disconnected",
    run: (harness) =>
      endsSlowHead(harness, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    timeoutMs: 25_000,
  },
  {
    name: "that send a head byte by byte are disconnected",
    run: endsDrippingHead,
    timeoutMs: 25_000,
  },
  { name: "that read slowly get the whole response", run: servesSlowReader },
  { name: "that upload slowly are served", run: servesSlowUpload },
];

export const LOAD: CaseGroup[] = [
  {
    title: "back-pressure and bounded memory",
    cases: [
      ...[false, true].flatMap((chunked): Case[] => {
        const framing = chunked ? "chunked" : "with a length";
        return [
          {
            name: `a download of 200 MB, ${framing}, to a client that stops reading`,
            run: (harness) => boundsDownload(harness, chunked),
            ownProcess: true,
          },
          {
            name: `an upload of 200 MB, ${framing}, to an upstream that stops reading`,
            run: (harness) => boundsUpload(harness, chunked),
            ownProcess: true,
            env: LONG_TIMEOUT,
          },
        ];
      }),
      {
        name: "a stalled download delays no other request",
        run: servesBesideStalled,
      },
    ],
  },
  { title: "slow clients", cases: SLOW },
  {
    title: "leaks",
    cases: ABORTS.map((abort) => ({
      name: `none after ${ABORTED.toLocaleString("en-US")} requests aborted while ${abort.name}`,
      run: (harness: Harness) => leaksNothing(harness, abort),
      ownProcess: true,
      // An unlimited young generation would hide a leak.
      env: { ...LONG_TIMEOUT, NODE_OPTIONS: "--max-semi-space-size=2" },
      timeoutMs: 300_000,
    })),
  },
];
