import { describeEngine, ENGINES } from "../support/products/engines.js";
import { redisUrl } from "../support/redis-server.js";
import { CHAPTERS } from "./chapters.js";
import { Theatre } from "./theatre.js";

const TIMEOUT_MS = 30_000;

for (const engine of ENGINES) {
  describe(`conformance of the engine ${engine}`, () => {
    let theatre: Theatre;

    before(async () => {
      theatre = new Theatre(describeEngine(engine), redisUrl());
      await theatre.open();
    });

    after(() => theatre.close());

    for (const { title, cases } of CHAPTERS)
      describe(title, () => {
        for (const played of cases)
          it(played.name, async () => {
            await theatre.play(played);
          }).timeout(played.timeoutMs ?? TIMEOUT_MS);
      });
  });
}
