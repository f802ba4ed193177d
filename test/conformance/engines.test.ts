import { describeEngine, ENGINES } from "../support/products/engines.js";
import { redisUrl } from "../support/redis/redis-server.js";
import { CHAPTERS } from "./chapters.js";
import { Festival } from "./festival.js";
import { Theatre } from "./theatre.js";

/** Of a case, and of those that are played before it. */
const TIMEOUT_MS = 60_000;

for (const engine of ENGINES) {
  describe(`conformance of the engine ${engine}`, () => {
    let festival: Festival;

    before(async () => {
      festival = new Festival(
        CHAPTERS.flatMap(({ cases }) => cases),
        () => new Theatre(describeEngine(engine), redisUrl()),
      );
      await festival.open();
    });

    after(() => festival.close());

    for (const { title, cases } of CHAPTERS)
      describe(title, () => {
        for (const played of cases)
          it(played.name, () => festival.verdictOn(played)).timeout(
            played.timeoutMs ?? TIMEOUT_MS,
          );
      });
  });
}
