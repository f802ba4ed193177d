import { RawClient } from "../support/http/raw-client.js";
import type { RunningProduct } from "../support/products/product.js";
import { waitFor } from "../support/wait-for.js";
import { check, Fault, type Case, type FaultKind } from "./case.js";
import { readResponses, type FramedResponse } from "./strict-http.js";
import { echoBody, PROBE, type ScriptedUpstream } from "./upstream.js";

/** What a proxy that is well needs less than a tenth of. */
const PATIENCE_MS = 8000;

/** All that a client has received, framed by the letter. */
export interface ClientView {
  responses: FramedResponse[];
  /** What no response frames. */
  rest: string;
  malformed?: string;
  ending: RawClient["ending"];
}

/** What a case plays on: the proxy under test between clients and an upstream that do anything. */
export class Stage {
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
   * Plays a case, and then asks whether the proxy still lives and answers each request with its own answer, and whether
   * every byte that it sent upstream can be framed in one way only.
   *
   * @throws Fault
   */
  async play({ run }: Pick<Case, "run">): Promise<void> {
    try {
      await this.#translate(() => run(this));
      if (this.proxy.ending === undefined)
        await this.#translate(() => this.#checkAftermath());
    } finally {
      for (const cleanUp of this.#cleanUps) cleanUp();
      await this.upstream.reset();
    }
  }

  /** Waits until `probe` holds. @throws Fault of `kind`, a hang unless told */
  async until(
    what: string,
    probe: () => boolean,
    options: { kind?: FaultKind; ms?: number } = {},
  ): Promise<void> {
    const { kind = "hang", ms = PATIENCE_MS } = options;
    const alive = () => this.proxy.ending === undefined;
    await waitFor(what, () => probe() || !alive(), ms).catch(() => {
      throw new Fault(kind, `not within ${ms} ms: ${what}`);
    });
    this.#checkAlive();
  }

  /** Waits for so many final responses, or for the connection's end. */
  async answers(
    client: RawClient,
    methods: readonly string[],
    count = methods.length,
  ): Promise<ClientView> {
    const read = () => viewOf(client, methods);
    const finals = (view: ClientView) =>
      view.responses.filter(({ status }) => status >= 200 || status === 101);
    await this.until(`${count} answers`, () => {
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

  /** Sends a proper request on a new connection. @returns its answer, unread as to content */
  async get(path: string, ...headers: string[]): Promise<FramedResponse> {
    const client = this.connect().get(path, ...headers);
    const { responses, malformed } = await this.answers(client, ["GET"]);
    client.socket.destroy();
    const final = responses.find(({ status }) => status >= 200);
    check(
      final !== undefined,
      "wrong",
      `no answer to GET ${path}: ${malformed ?? ""}`,
    );
    return final;
  }

  async #checkAftermath(): Promise<void> {
    this.upstream.play({});
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
    const { responses, rest, malformed } = await this.answers(client, [method]);
    const expected = echoBody({ method, target, body });
    check(
      malformed === undefined && rest === "" && responses[0]?.body === expected,
      "poisoned",
      () => `${method} ${target} was answered by ${quote(client.unread)}`,
    );
    client.socket.destroy();
  }

  #checkAlive(): void {
    const { ending, output } = this.proxy;
    check(
      ending === undefined,
      "crash",
      () => `it ended with ${ending ?? ""}: ${output.slice(-600)}`,
    );
  }

  /** A failure that the proxy's end has caused is a crash. */
  async #translate(play: () => Promise<void>): Promise<void> {
    try {
      await play();
    } catch (err) {
      if (err instanceof Fault && err.kind === "crash") throw err;
      await waitFor("its end", () => this.proxy.ending, 200).catch(
        () => undefined,
      );
      this.#checkAlive();
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
