import { expect } from "chai";
import {
  createScreenLogger,
  Screen,
} from "../../../apps/launcher/screen/screen.js";
import { waitFor } from "../../support/wait-for.js";

const AT = { at: new Date("2030-01-01T09:05:07Z") };

function createScreen(isColoured = false) {
  const shown: string[] = [];
  return {
    shown,
    screen: new Screen((text) => shown.push(text), { isColoured }),
  };
}

describe("launcher screen", () => {
  it("shows an event on one line", () => {
    const { screen, shown } = createScreen();
    screen.event("flip", "feature is off: too slow", AT);
    expect(shown).to.deep.equal([
      "09:05:07 UTC  flip      feature is off: too slow\n",
    ]);
  });

  it("shows that a step goes on, also after other lines", async () => {
    const { screen, shown } = createScreen();
    await screen.during("Building", () => {
      screen.event("change", "a", AT);
      return Promise.resolve();
    });
    expect(shown.join("")).to.equal(
      "Building …\n09:05:07 UTC  change    a\nBuilding … 0.0 s\n",
    );
  });

  it("redraws a step's line on a terminal, within its width", async () => {
    const shown: string[] = [];
    const columns = 24;
    const screen = new Screen((text) => shown.push(text), { columns });
    const step = "Building with many words";
    await screen.during(step, async () => {
      screen.show("between");
      await waitFor("two redraws", () => shown.length > 3);
    });
    expect(shown.slice(0, 2)).to.deep.equal([
      ...["Building wit …", "\r\x1b[Kbetween\n"],
    ]);
    expect(shown.at(-2)).to.match(/^\r.\[KBuilding wit … 0\.\d s$/);
  });

  it("indents further lines under the sentence", () => {
    const { screen, shown } = createScreen();
    screen.event("mail", "to team", { ...AT, under: ["one", "two"] });
    expect(shown.join("")).to.equal(
      [
        "09:05:07 UTC  mail      to team",
        "                        one",
        "                        two\n",
      ].join("\n"),
    );
  });

  it("uses colours only on request", () => {
    const { screen, shown } = createScreen(true);
    screen.event("breach", "too slow", AT);
    expect(shown[0]).to.include("\u001b[31mbreach").and.include("too slow\n");
  });

  it("removes control characters from events", () => {
    const { screen, shown } = createScreen();
    screen.event("al\u0007ert", "one\r\n\u001b[2Jtwo\u009b31m", {
      ...AT,
      under: ["\u001b]0;title\u0007"],
    });
    expect(shown.join("")).to.equal(
      [
        "09:05:07 UTC  al ert    one [2Jtwo 31m",
        "                         ]0;title \n",
      ].join("\n"),
    );
  });

  it("remembers the kinds that it has shown", () => {
    const { screen } = createScreen();
    screen.event("mail", "to team");
    expect([...screen.kindsShown]).to.deep.equal(["mail"]);
  });

  it("shows the messages of a logger", () => {
    const { screen, shown } = createScreen();
    const logger = createScreenLogger(screen);
    logger.debug({}, "not worth a line");
    logger.warn({ err: new Error("refused") }, "Redis is away");
    expect(shown).to.have.length(1);
    expect(shown[0]).to.match(
      /^[\d:]{8} UTC {2}warning {3}Redis is away: refused\n$/,
    );
  });
});
