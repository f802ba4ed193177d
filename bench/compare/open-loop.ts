import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { readResponse } from "../../test/support/http/raw-response.js";
import { arrivalsMs, type Law } from "./arrivals.js";

export interface OpenLoopOptions {
  port: number;
  path: string;
  requestsPerSecond: number;
  seconds: number;
  connections: number;
  law: Law;
  /** How long to wait for the last responses. */
  patienceMs?: number;
}

export interface Quantiles {
  p50Us: number;
  p90Us: number;
  p99Us: number;
  maxUs: number;
}

export interface OpenLoopFigures {
  answers: number;
  /** One error for each request without a response of 200. */
  failures: string[];
  /** From the time at which a request was due: the user's wait. */
  latency: Quantiles;
  /** From sending the request, as a closed-loop generator counts. */
  fromSending: Quantiles;
  /** The generator's own lateness for each request. */
  lateness: Quantiles;
}

const PATIENCE_MS = 5000;

interface Connection {
  socket: Socket;
  unread: string;
  isFree: boolean;
  /** Of the request in flight. */
  dueMs: number;
  sentMs: number;
}

/**
 * Sends requests when they are due, independently of earlier responses, and counts latency from the due time. A stall thus
 * affects every request that is due in it, not only those in flight ("coordinated omission", Gil Tene). A request without a
 * free connection waits for one while its clock runs.
 */
export class OpenLoop {
  readonly #options: OpenLoopOptions;
  readonly #request: string;
  readonly #free: Connection[] = [];
  /** The due times of the requests that wait for a connection. */
  readonly #waiting: number[] = [];
  readonly #latency = createHistogram();
  readonly #fromSending = createHistogram();
  readonly #lateness = createHistogram();
  readonly #failures: string[] = [];
  #answers = 0;
  #underWay = 0;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
    this.#request = `GET ${options.path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
  }

  /** @param onRunning called when all connections are open, before the first request */
  async run(onRunning: () => void = () => undefined): Promise<OpenLoopFigures> {
    const { connections } = this.#options;
    const sockets = await Promise.all(
      Array.from({ length: connections }, () => this.#connect()),
    );
    onRunning();
    await this.#sendAll();
    for (const socket of sockets) socket.destroy();
    return {
      answers: this.#answers,
      failures: this.#failures,
      latency: quantilesOf(this.#latency),
      fromSending: quantilesOf(this.#fromSending),
      lateness: quantilesOf(this.#lateness),
    };
  }

  /** Spins, because a timer's resolution of 1 ms is coarser than most latencies. */
  #sendAll(): Promise<void> {
    const { patienceMs = PATIENCE_MS } = this.#options;
    const startMs = performance.now();
    const arrivals = arrivalsMs({ ...this.#options, random: Math.random });
    let next = arrivals.next();
    let lastMs = startMs;
    return new Promise((resolve) => {
      const spin = () => {
        const nowMs = performance.now();
        while (!next.done && startMs + next.value <= nowMs) {
          lastMs = startMs + next.value;
          record(this.#lateness, performance.now() - lastMs);
          this.#send(lastMs);
          next = arrivals.next();
        }
        const isUnderWay = this.#underWay + this.#waiting.length > 0;
        if (!next.done || (isUnderWay && nowMs < lastMs + patienceMs)) {
          setImmediate(spin);
          return;
        }
        const lost = this.#underWay + this.#waiting.length;
        for (let i = 0; i < lost; i += 1) this.#failures.push("no answer");
        resolve();
      };
      spin();
    });
  }

  #send(dueMs: number): void {
    // In turn, so that no connection idles beyond a server's limit.
    const connection = this.#free.shift();
    if (connection === undefined) {
      this.#waiting.push(dueMs);
      return;
    }
    connection.isFree = false;
    connection.dueMs = dueMs;
    connection.sentMs = performance.now();
    this.#underWay += 1;
    connection.socket.write(this.#request, "latin1");
  }

  async #connect(): Promise<Socket> {
    const { port } = this.#options;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const connection = {
      socket,
      unread: "",
      isFree: true,
      dueMs: 0,
      sentMs: 0,
    };
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.#read(connection, text, performance.now());
    });
    await once(socket, "connect");
    // Its requests are counted as missing at the end.
    socket.on("error", () => undefined);
    this.#free.push(connection);
    return socket;
  }

  #read(connection: Connection, text: string, nowMs: number): void {
    if (connection.isFree) {
      this.#failures.push(`unasked: ${text.slice(0, 40)}`);
      return;
    }
    connection.unread += text;
    const read = readResponse(connection.unread);
    if (read === undefined) return;
    connection.unread = read.rest;
    record(this.#latency, nowMs - connection.dueMs);
    record(this.#fromSending, nowMs - connection.sentMs);
    const { status } = read.response;
    if (status === 200) this.#answers += 1;
    else this.#failures.push(`status ${status}`);
    this.#underWay -= 1;
    connection.isFree = true;
    this.#free.push(connection);
    const due = this.#waiting.shift();
    if (due !== undefined) this.#send(due);
  }
}

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1e6)));
}

function quantilesOf(histogram: RecordableHistogram): Quantiles {
  const us = (percentile: number) => histogram.percentile(percentile) / 1000;
  return {
    p50Us: us(50),
    p90Us: us(90),
    p99Us: us(99),
    maxUs: histogram.max / 1000,
  };
}
