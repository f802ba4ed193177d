import {
  ENGINE_NAMES,
  type EngineName,
} from "../../../apps/proxy/engines/engine.js";

let current: EngineName | undefined;

/** A suite that runs once per engine. All proxies that its tests start use that engine. */
export function describeEngines(title: string, suite: () => void): void {
  for (const engine of ENGINE_NAMES) {
    describe(`${title} (${engine})`, () => {
      before(() => (current = engine));
      after(() => (current = undefined));
      suite();
    });
  }
}

/** The engine of the running suite, or undefined for the proxy's default. */
export function engineUnderTest(): EngineName | undefined {
  return current;
}
