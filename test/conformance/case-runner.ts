import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Reaper } from "../../apps/launcher/processes/reaper.js";
import { RunningProduct, type Product } from "../support/products/product.js";
import { findServicePort } from "../support/system/service-port.js";
import { Fault, type Case } from "./case.js";
import { Harness } from "./harness.js";
import { ScriptedUpstream } from "./upstream.js";

/** Runs cases on one product. They share its process, until a case ends it or needs its own. */
export class CaseRunner {
  readonly #product: Product;
  readonly #redisUrl: string;
  readonly #reaper = new Reaper();
  readonly #directory = mkdtempSync(join(tmpdir(), "serin-conformance-"));
  #upstream: ScriptedUpstream | undefined;
  #upstreamPort = 0;
  #shared: RunningProduct | undefined;

  constructor(product: Product, redisUrl: string) {
    this.#product = product;
    this.#redisUrl = redisUrl;
  }

  async open(): Promise<void> {
    this.#upstreamPort = await findServicePort();
    this.#upstream = await ScriptedUpstream.listen(this.#upstreamPort);
  }

  /** @throws Fault, or the error that kept the case from running */
  async run(testCase: Case): Promise<void> {
    if (this.#upstream === undefined)
      throw new Error("the runner has not been opened");
    const isOwn = testCase.ownProcess === true;
    const proxy = isOwn
      ? await this.#start(testCase.env)
      : (this.#shared ??= await this.#start());
    try {
      await new Harness(proxy, this.#upstream).run(testCase);
      if (!isOwn && proxy.ending !== undefined)
        throw new Fault("crash", proxy.output.slice(-600));
    } finally {
      if (isOwn || proxy.ending !== undefined) await proxy.close();
      if (proxy.ending !== undefined && !isOwn) this.#shared = undefined;
    }
  }

  async close(): Promise<void> {
    await this.#shared?.close();
    await this.#upstream?.close();
    await this.#reaper.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start(env?: Case["env"]): Promise<RunningProduct> {
    const place = {
      port: await findServicePort(),
      upstreamPort: this.#upstreamPort,
      directory: mkdtempSync(join(this.#directory, "place-")),
      redisUrl: this.#redisUrl,
      node: process.execPath,
      ...(env === undefined ? {} : { env }),
    };
    return await RunningProduct.start(this.#product, place, {
      reaper: this.#reaper,
    });
  }
}
