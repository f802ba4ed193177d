import { RawClient } from "../support/http/raw-client.js";
import type { RunningProduct } from "../support/products/product.js";
import { waitFor } from "../support/wait-for.js";
import { check, Fault, type Case, type FaultKind } from "./case.js";
import { readResponses, type FramedResponse } from "./strict-http.js";
import { echoBody, PROBE, type ScriptedUpstream } from "./upstream.js";

/** More than ten times what a working proxy needs. */
const TIMEOUT_MS = 8000;

/** All that a client has received, framed strictly. */
export interface ClientView {
  responses: FramedResponse[];
  /** Bytes that belong to no response. */
  rest: string;
  malformed?: string;
  ending: RawClient["ending"];
}

/** The proxy under test, between clients and an upstream that a case controls byte by byte. */
export class Harness {
  readonly proxy: RunningProduct;
  readonly upstream: ScriptedUpstream;
  readonly #cleanUps: (() => void)[] = [];
  #probes = 0;

  constructor(proxy: RunningProduct, upstream: ScriptedUpstream) {
    this.proxy = proxy;
    this.upstream = upstream;
  }

  connect(options?: { reading?: boolean }): RawClient {
    const atEnd = (cleanUp: () => void) => void this.#cleanUps.push(cleanUp);
    return new RawClient(this.proxy.port, { ...options, atEnd });
  }

  /**
   * Runs a case. Afterwards the proxy must still run, must answer each request with its own response, and must have sent
   * nothing upstream that can be framed in two ways.
   *
   * @throws Fault
   */
  async run({ run }: Pick<Case, "run">): Promise<void> {
    try {
      await this.#translate(() => run(this));
      if (this.proxy.ending === undefined)
        await this.#translate(() => this.#checkAfterwards());
    } finally {
      for (const cleanUp of this.#cleanUps) cleanUp();
      await this.upstream.reset();
    }
  }

  /** Waits until `probe` holds. @throws Fault of `kind`, by default a hang */
  async until(
    what: string,
    probe: () => boolean,
    options: { kind?: FaultKind; ms?: number } = {},
  ): Promise<void> {
    const { kind = "hang", ms = TIMEOUT_MS } = options;
    const isRunning = () => this.proxy.ending === undefined;
    await waitFor(what, () => probe() || !isRunning(), ms).catch(() => {
      throw new Fault(kind, `not within ${ms} ms: ${what}`);
    });
    this.#checkRunning();
  }

  /** Waits for `count` final responses, or for the end of the connection. */
  async awaitResponses(
    client: RawClient,
    methods: readonly string[],
    count = methods.length,
  ): Promise<ClientView> {
    const read = () => viewOf(client, methods);
    const finals = (view: ClientView) =>
      view.responses.filter(({ status }) => status >= 200 || status === 101);
    await this.until(`${count} responses`, () => {
      const view = read();
      return (
        view.ending !== undefined ||
        view.malformed !== undefined ||
        finals(view).length >= count
      );
    });
    return read();
  }

  async closed(client: RawClient): Promise<void> {
    await this.until(
      "the client's connection to end",
      () => client.ending !== undefined,
    );
  }

  /** Sends a valid request on a new connection. @returns its response, whose content is not checked */
  async get(path: string, ...headers: string[]): Promise<FramedResponse> {
    const client = this.connect().get(path, ...headers);
    const { responses, malformed } = await this.awaitResponses(client, ["GET"]);
    client.socket.destroy();
    const final = responses.find(({ status }) => status >= 200);
    check(
      final !== undefined,
      "wrong",
      `no response to GET ${path}: ${malformed ?? ""}`,
    );
    return final;
  }

  async #checkAfterwards(): Promise<void> {
    this.upstream.handle({});
    for (const method of ["GET", "POST", "GET"]) await this.#probe(method);
    for (const { malformed, text } of this.upstream.connections)
      check(
        malformed === undefined,
        "smuggled",
        () => `the upstream got ${malformed ?? ""} in ${quote(text)}`,
      );
  }

  async #probe(method: string): Promise<void> {
    const target = `${PROBE}${(this.#probes += 1)}`;
    const body = method === "POST" ? "probe" : "";
    const framing = body === "" ? [] : [`Content-Length: ${body.length}`];
    const client = this.connect();
    client.send(`${method} ${target} HTTP/1.1`, "Host: probe", ...framing, "");
    client.send("", body);
    const { responses, rest, malformed } = await this.awaitResponses(client, [
      method,
    ]);
    const expected = echoBody({ method, target, body });
    check(
      malformed === undefined && rest === "" && responses[0]?.body === expected,
      "poisoned",
      () => `${method} ${target} was answered with ${quote(client.unread)}`,
    );
    client.socket.destroy();
  }

  #checkRunning(): void {
    const { ending, output } = this.proxy;
    check(
      ending === undefined,
      "crash",
      () => `the proxy ended with ${ending ?? ""}: ${output.slice(-600)}`,
    );
  }

  /** Reports a failure as a crash when the proxy has ended. */
  async #translate(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (err) {
      if (err instanceof Fault && err.kind === "crash") throw err;
      await waitFor("the proxy's end", () => this.proxy.ending, 200).catch(
        () => undefined,
      );
      this.#checkRunning();
      throw err;
    }
  }
}

export function viewOf(
  client: RawClient,
  methods: readonly string[],
): ClientView {
  const { unread, ending } = client;
  return { ...readResponses(unread, methods, ending === "ended"), ending };
}

export function quote(text: string): string {
  const shown = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return JSON.stringify(shown);
}
