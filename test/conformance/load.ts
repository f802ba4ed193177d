import { once } from "node:events";
import type { Socket } from "node:net";
import type { RawClient } from "../support/http/raw-client.js";
import type { Holdings } from "../support/products/leak-tap.js";
import { waitFor } from "../support/wait-for.js";
import { settledValue } from "../support/wait-for-settled.js";
import { check, Fault, type Case, type Chapter } from "./case.js";
import type { Stage } from "./stage.js";

const MEGABYTE = 1_000_000;
/** More than the kernel's and Node's buffers between two programs hold together. */
const BOUND = 24 * MEGABYTE;
/** With what a busy process has not yet collected. */
const MEMORY_BOUND = 64 * MEGABYTE;
const STREAM = 200 * MEGABYTE;
/** Where requests wait for as long as the case takes, however busy the machine is. */
const PATIENT = { RESPONSE_TIMEOUT_MS: "60000" };

/** Writes `bytes` bytes with back-pressure. @returns how many have been taken so far */
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

async function boundsDownload(stage: Stage, chunked: boolean): Promise<void> {
  let poured = () => 0;
  stage.upstream.play({
    request: ({ socket }) => {
      const framing = chunked
        ? "Transfer-Encoding: chunked"
        : `Content-Length: ${STREAM}`;
      socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      poured = pour(socket, STREAM, chunked);
    },
  });
  const before = stage.proxy.residentBytes;
  const client = stage.connect({ reading: false }).get("/");
  const sent = await settledValue("the upstream to be held up", () => poured());
  checkBounded(stage, sent, before);
  client.discard();
  await stage.until("more of it", () => client.bytes > sent + BOUND);
  client.socket.destroy();
}

async function boundsUpload(stage: Stage, chunked: boolean): Promise<void> {
  stage.upstream.play({ head: ({ socket }) => void socket.pause() });
  const before = stage.proxy.residentBytes;
  const client = stage.connect();
  const framing = chunked
    ? "Transfer-Encoding: chunked"
    : `Content-Length: ${STREAM}`;
  client.send("POST / HTTP/1.1", "Host: x", framing, "", "");
  const poured = pour(client.socket, STREAM, chunked);
  const sent = await settledValue("the client to be held up", poured);
  checkBounded(stage, sent, before);
  client.socket.destroy();
}

function checkBounded(stage: Stage, sent: number, before: number): void {
  const grown = stage.proxy.residentBytes - before;
  const mb = (bytes: number) => Math.round(bytes / MEGABYTE);
  check(sent < BOUND, "leak", `${mb(sent)} MB were taken from the sender`);
  check(grown < MEMORY_BOUND, "leak", `memory grew by ${mb(grown)} MB`);
}

/** An upload that stands still holds no other request up. */
async function servesBesideStalled(stage: Stage): Promise<void> {
  stage.upstream.play({
    request: ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${STREAM}\r\n\r\n`);
      pour(socket, STREAM);
    },
  });
  const client = stage.connect({ reading: false }).get("/");
  await stage.upstream.sees("\r\n\r\n");
  stage.upstream.play({});
  for (let turn = 0; turn < 10; turn++) {
    const { status } = await stage.get(`/${turn}`);
    check(status === 200, "wrong", `answered ${status}`);
  }
  client.socket.destroy();
}

async function endsSlowHead(stage: Stage, bytes: string): Promise<void> {
  const client = stage.connect().send(bytes);
  await stage.until(
    "the slow client to be answered or closed",
    () => client.ending !== undefined,
    { ms: 15_000 },
  );
  check(
    stage.upstream.connections.length === 0,
    "lax",
    "something was forwarded",
  );
}

/** A head that grows byte by byte, each in time: the whole of it has a limit as well. */
async function endsDrippingHead(stage: Stage): Promise<void> {
  const client = stage.connect().send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  const timer = setInterval(() => {
    if (!client.socket.destroyed) client.send("a");
  }, 100);
  try {
    await stage.until(
      "the dripping client to be closed",
      () => client.ending !== undefined,
      { ms: 15_000 },
    );
  } finally {
    clearInterval(timer);
  }
}

async function servesSlowReader(stage: Stage): Promise<void> {
  const size = 200_000;
  stage.upstream.play({
    request: ({ socket }) =>
      void socket.write(
        `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`,
      ),
  });
  const client = stage.connect().get("/");
  client.socket.on("data", () => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 20);
  });
  const view = await stage.answers(client, ["GET"]);
  check(view.responses[0]?.body.length === size, "wrong", "it was cut short");
}

async function servesSlowUpload(stage: Stage): Promise<void> {
  const client = stage.connect();
  client.send("POST /slow HTTP/1.1", "Host: x", "Content-Length: 30", "", "");
  let sent = 0;
  const timer = setInterval(() => {
    client.send("x");
    if ((sent += 1) === 30) clearInterval(timer);
  }, 100);
  const view = await stage.answers(client, ["POST"]);
  clearInterval(timer);
  check(
    view.responses[0]?.body === "POST /slow 30",
    "wrong",
    `answered ${view.responses[0]?.status ?? 0}`,
  );
}

/** The memory of a Node 24 grows over the first some thousand requests, and then stands still. */
const WARM_UP = 5000;
const ABORTED = 10_000;
const AT_ONCE = 50;
/** Of what a process has freed, its allocator keeps a part that differs from run to run. */
const RESIDENT_SWING_MB = 100;

/** Sockets, memory and timers are back where they were after so many aborted requests. */
async function leavesNothing(stage: Stage, abort: Abort): Promise<void> {
  await abortMany(stage, abort, WARM_UP);
  const before = await holdings(stage);
  await abortMany(stage, abort, ABORTED);
  let last = before;
  const isBack = () =>
    last.sockets <= before.sockets + 2 &&
    last.timers <= before.timers + 2 &&
    last.heldMb <= before.heldMb + 5 &&
    last.residentMb <= before.residentMb + RESIDENT_SWING_MB;
  await waitFor("what it held before", async () => {
    last = await holdings(stage);
    if (isBack()) return true;
    await stage.get("/between");
    return false;
  }).catch((err: unknown) => {
    if (err instanceof Fault) throw err;
    throw new Fault(
      "leak",
      `${JSON.stringify(before)} became ${JSON.stringify(last)}`,
    );
  });
}

async function holdings(stage: Stage) {
  const { proxy } = stage;
  const own = proxy.product.isOurs
    ? ((await proxy.ask("tell")) as Holdings)
    : { timers: 0, sockets: 0, heldBytes: 0 };
  return {
    sockets: Math.max(own.sockets, proxy.openFiles),
    timers: own.timers,
    heldMb: Math.round(own.heldBytes / MEGABYTE),
    residentMb: Math.round(proxy.residentBytes / MEGABYTE),
  };
}

interface Abort {
  name: string;
  send: string;
  /** What the upstream sends before the client leaves; nothing unless told. */
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

async function abortMany(stage: Stage, abort: Abort, count: number) {
  let reached = 0;
  stage.upstream.play({
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
      stage.connect().send(abort.send),
    );
    const wanted = (reached += 0) + AT_ONCE - (reached % AT_ONCE);
    await stage.until("requests at the upstream", () => reached >= wanted);
    if (abort.answer !== undefined)
      await Promise.all(clients.map((client) => client.sees("a\r\n")));
    leave(clients);
    await stage.until(
      "the upstream's requests to end",
      () => stage.upstream.openCount === 0,
      { kind: "leak" },
    );
  }
}

function leave(clients: readonly RawClient[]): void {
  for (const [i, { socket }] of clients.entries())
    if (i % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
}

const SLOW: Case[] = [
  {
    name: "that say nothing are closed",
    run: (stage) => endsSlowHead(stage, ""),
    timeoutMs: 25_000,
  },
  {
    name: "whose head never ends are closed",
    run: (stage) =>
      endsSlowHead(stage, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    timeoutMs: 25_000,
  },
  {
    name: "whose head drips are closed",
    run: endsDrippingHead,
    timeoutMs: 25_000,
  },
  { name: "that read slowly get everything", run: servesSlowReader },
  { name: "that send slowly are waited for", run: servesSlowUpload },
];

export const LOAD: Chapter[] = [
  {
    title: "back-pressure and bounded memory",
    cases: [
      ...[false, true].flatMap((chunked): Case[] => {
        const framing = chunked ? "in chunks" : "with a length";
        return [
          {
            name: `a download of 200 MB ${framing} that nobody reads`,
            run: (stage) => boundsDownload(stage, chunked),
            ownProcess: true,
          },
          {
            name: `an upload of 200 MB ${framing} that nobody reads`,
            run: (stage) => boundsUpload(stage, chunked),
            ownProcess: true,
            env: PATIENT,
          },
        ];
      }),
      {
        name: "a stalled download holds no other up",
        run: servesBesideStalled,
      },
    ],
  },
  { title: "slow clients", cases: SLOW },
  {
    title: "leaks",
    cases: ABORTS.map((abort) => ({
      name: `none after ${ABORTED.toLocaleString("en-US")} requests aborted while ${abort.name}`,
      run: (stage: Stage) => leavesNothing(stage, abort),
      ownProcess: true,
      // A young generation that grows as it likes would hide what is kept.
      env: { ...PATIENT, NODE_OPTIONS: "--max-semi-space-size=2" },
      timeoutMs: 300_000,
    })),
  },
];
