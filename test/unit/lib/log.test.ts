import { expect } from "chai";
import { createLogger } from "../../../lib/program/log.js";

describe("log", () => {
  it("writes of an error only what every error has, under any name", () => {
    const lines: string[] = [];
    const logger = createLogger("test", "info", {
      write: (line) => void lines.push(line),
    });
    const refused = Object.assign(
      new Error("535 refused", { cause: leaky() }),
      {
        code: "EAUTH",
        command: { name: "auth", args: ["user", "s3cret"] },
        $response: { headers: { authorization: "s3cret" } },
      },
    );
    for (const data of [{ err: refused }, { failure: refused }])
      logger.warn(data, "away");
    logger.warn({ err: new AggregateError([leaky()], "all failed") }, "away");
    expect(lines.join("")).not.to.include("s3cret");
    const { err } = JSON.parse(lines[0]!) as { err: object };
    expect(err).to.include({ type: "Error", message: "535 refused" });
    expect(err).to.include({ code: "EAUTH" });
    expect(err).to.have.nested.property("cause.message", "no");
    expect(err).to.have.property("stack");
    expect(lines[2]).to.include('"errors":["Error: no"]');
  });
});

function leaky(): Error {
  return Object.assign(new Error("no"), { url: "redis://u:s3cret@host" });
}
