import { expect } from "chai";
import {
  SettingsError,
  SettingsReader,
} from "../../../lib/settings/settings.js";

/** The problems that `read` finds in `env`. */
function problemsOf(
  env: Record<string, string | undefined>,
  read: (settings: SettingsReader) => unknown,
): readonly string[] {
  const settings = new SettingsReader(env);
  read(settings);
  try {
    settings.finish();
    return [];
  } catch (err) {
    expect(err).to.be.instanceOf(SettingsError);
    return (err as SettingsError).problems;
  }
}

/** The value of the variable X. */
function valueOf<T>(x: string, read: (settings: SettingsReader) => T): T {
  const settings = new SettingsReader({ X: x });
  const value = read(settings);
  settings.finish();
  return value;
}

const range = { min: 1, max: 10 };
const readInteger = (settings: SettingsReader) => settings.integer("X", range);
const readDecimal = (settings: SettingsReader) => settings.decimal("X", range);
const readChoice = (settings: SettingsReader) =>
  settings.choice("X", ["a", "b"]);
const readEven = (settings: SettingsReader) =>
  settings.list("X", "even numbers", (part) =>
    Number(part) % 2 === 0 ? Number(part) : undefined,
  );

describe("settings reader", () => {
  it("returns the default of an unset or empty variable", () => {
    for (const env of [{}, { X: undefined }, { X: "" }]) {
      const settings = new SettingsReader(env);
      expect(settings.isSet("X")).to.be.false;
      expect(settings.text("X", "t")).to.equal("t");
      expect(settings.integer("X", range, 7)).to.equal(7);
      expect(settings.decimal("X", range, 1.5)).to.equal(1.5);
      expect(settings.choice("X", ["a", "b"], "b")).to.equal("b");
      expect(settings.list("X", "texts", (part) => part, [])).to.deep.equal([]);
      expect(settings.secret("X", "it", (value) => value, "s")).to.equal("s");
      settings.finish();
    }
  });

  it("rejects an unset variable without a default, and says what is valid", () => {
    expect(problemsOf({}, readInteger)).to.deep.equal([
      "X is not set: give a whole number from 1 to 10",
    ]);
    expect(problemsOf({ X: "" }, readChoice)).to.deep.equal([
      "X is not set: give one of a, b",
    ]);
  });

  it("does not return the default for a malformed value", () => {
    const problems = problemsOf({ X: "eleven" }, (settings) =>
      settings.integer("X", range, 5),
    );
    expect(problems).to.deep.equal([
      'X is "eleven": give a whole number from 1 to 10',
    ]);
  });

  for (const text of ["1", "10", "007"]) {
    it(`accepts ${text} as a whole number from 1 to 10`, () => {
      expect(valueOf(text, readInteger)).to.equal(Number(text));
    });
  }

  for (const text of ["0", "11", "-1", "+1", "1.0", "1e0", "0x1", " 1", "١"]) {
    it(`rejects ${JSON.stringify(text)} as a whole number from 1 to 10`, () => {
      expect(problemsOf({ X: text }, readInteger)).to.have.length(1);
    });
  }

  for (const text of ["1", "1.0", "9.999", "10.000"]) {
    it(`accepts ${text} as a number from 1 to 10`, () => {
      expect(valueOf(text, readDecimal)).to.equal(Number(text));
    });
  }

  for (const text of [".5", "1.", "1,5", "0.99", "10.01", "NaN", "Infinity"]) {
    it(`rejects ${text} as a number from 1 to 10`, () => {
      expect(problemsOf({ X: text }, readDecimal)).to.have.length(1);
    });
  }

  it("matches a choice case-sensitively", () => {
    expect(valueOf("b", readChoice)).to.equal("b");
    expect(problemsOf({ X: "B" }, readChoice)).to.deep.equal([
      'X is "B": give one of a, b',
    ]);
  });

  it("reads a list, with blanks around its parts", () => {
    expect(valueOf("2, 4 ,6", readEven)).to.deep.equal([2, 4, 6]);
    const readTexts = (settings: SettingsReader) =>
      settings.list("X", "texts", (part) => part);
    expect(valueOf(" a,b c ", readTexts)).to.deep.equal(["a", "b c"]);
  });

  for (const text of ["2,3", "2,", ",", "2,,4"]) {
    it(`rejects the list ${text} as a whole`, () => {
      expect(problemsOf({ X: text }, readEven)).to.deep.equal([
        `X is "${text}": give even numbers`,
      ]);
    });
  }

  it("never repeats a secret", () => {
    const problems = problemsOf({ X: "hunter2" }, (settings) =>
      settings.secret("X", "a token", () => undefined),
    );
    expect(problems).to.deep.equal([
      "X is malformed (value not shown): give a token",
    ]);
  });

  it("escapes control characters in a value", () => {
    const problems = problemsOf({ X: "a\nb\u0007" }, readChoice);
    expect(problems[0]).to.include('X is "a\\nb\\u0007"');
  });

  it("reports all problems together, in the order of reading", () => {
    const settings = new SettingsReader({ A: "x", B: "2" });
    settings.integer("A", range);
    settings.integer("B", range);
    settings.text("C");
    settings.reject("A and B contradict each other");
    expect(() => settings.finish()).to.throw(
      SettingsError,
      "bad settings:\n" +
        '  - A is "x": give a whole number from 1 to 10\n' +
        "  - C is not set: give a non-empty text\n" +
        "  - A and B contradict each other",
    );
  });
});
