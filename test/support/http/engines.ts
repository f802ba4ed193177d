import {
  ENGINE_NAMES,
  type EngineName,
} from "../../../apps/proxy/engines/engine.js";

let current: EngineName | undefined;

/** A suite that runs once for each engine: whatever proxy its tests start has that one. */
export function describeEngines(title: string, suite: () => void): void {
  for (const engine of ENGINE_NAMES) {
    describe(`${title} (${engine})`, () => {
      before(() => (current = engine));
      after(() => (current = undefined));
      suite();
    });
  }
}

/** What the running suite tests; undefined in one that leaves the choice to the proxy. */
export function engineUnderTest(): EngineName | undefined {
  return current;
}
