import { expect } from "chai";
import type * as z from "zod";
import {
  readSettings,
  required,
  setting,
  SettingsError,
  SettingsReader,
  type Environment,
} from "../../../lib/settings/settings.js";
import * as values from "../../../lib/settings/values.js";
import { problemsIn } from "../../support/settings-problems.js";

/** The setting X, without a default. */
function x<T>(takes: z.ZodType<T>) {
  return { x: required(setting("X", takes, { meaning: "it" })) };
}

/** What is wrong with the variable X. */
function problemsOf(takes: z.ZodType, env: Environment): readonly string[] {
  return problemsIn(() => readSettings(env, x(takes)))({});
}

/** The value of the variable X. */
function valueOf<T>(text: string, takes: z.ZodType<T>): T {
  return readSettings({ X: text }, x(takes)).x;
}

const integer = values.wholeNumber(1, 10);
const decimal = values.decimal(1, 10);
const choice = values.choice("a", "b");
const evenNumbers = values.list(
  "even numbers",
  values.parsed("an even number", (part) =>
    Number(part) % 2 === 0 ? Number(part) : undefined,
  ),
);

describe("settings reader", () => {
  it("returns the default of an unset or empty variable", () => {
    const meaning = "it";
    const tree = {
      text: setting("X", values.anyText, { default: "t", meaning }),
      integer: setting("X", integer, { default: 7, meaning }),
      nested: {
        decimal: setting("X", decimal, { default: 1.5, meaning }),
        choice: setting("X", choice, { default: "b", meaning }),
      },
      list: setting("X", evenNumbers, { default: "", meaning }),
      optional: setting("X", values.secret(values.anyText), { meaning }),
    };
    for (const env of [{}, { X: undefined }, { X: "" }]) {
      expect(new SettingsReader(env).isSet("X")).to.be.false;
      expect(readSettings(env, tree)).to.deep.equal({
        text: "t",
        integer: 7,
        nested: { decimal: 1.5, choice: "b" },
        list: [],
        optional: undefined,
      });
    }
  });

  it("rejects an unset variable that is required, and says what is valid", () => {
    expect(problemsOf(integer, {})).to.deep.equal([
      "X is not set: give a whole number from 1 to 10",
    ]);
    expect(problemsOf(choice, { X: "" })).to.deep.equal([
      "X is not set: give one of a, b",
    ]);
  });

  it("does not return the default for a malformed value", () => {
    const tree = { x: setting("X", integer, { default: 5, meaning: "it" }) };
    expect(() => readSettings({ X: "eleven" }, tree)).to.throw(
      SettingsError,
      'X is "eleven": give a whole number from 1 to 10',
    );
  });

  it("shows no password of a malformed URL", () => {
    const problemOf = (X: string) => problemsOf(values.httpOrigins, { X })[0];
    expect(problemOf("http://u:hunter2@a:1,http://v:hunter2@b:1")).to.match(
      /^X is "http:\/\/\*\*\*@b:1": give /,
    );
    for (const text of [
      "u:hunter2@a",
      "http://hunter2@a",
      "ftp://u:hun/ter2@a",
    ])
      expect(problemOf(text)).to.match(/\*\*\*@a": give /);
    expect(problemOf("me@a")).to.include('X is "me@a"');
  });

  for (const text of ["1", "10", "007"]) {
    it(`accepts ${text} as a whole number from 1 to 10`, () => {
      expect(valueOf(text, integer)).to.equal(Number(text));
    });
  }

  for (const text of ["0", "11", "-1", "+1", "1.0", "1e0", "0x1", " 1", "١"]) {
    it(`rejects ${JSON.stringify(text)} as a whole number from 1 to 10`, () => {
      expect(problemsOf(integer, { X: text })).to.have.length(1);
    });
  }

  for (const text of ["1", "1.0", "9.999", "10.000"]) {
    it(`accepts ${text} as a number from 1 to 10`, () => {
      expect(valueOf(text, decimal)).to.equal(Number(text));
    });
  }

  for (const text of [".5", "1.", "1,5", "0.99", "10.01", "NaN", "Infinity"]) {
    it(`rejects ${text} as a number from 1 to 10`, () => {
      expect(problemsOf(decimal, { X: text })).to.have.length(1);
    });
  }

  it("accepts durations from the given minimum to a day", () => {
    const ms = values.ms(500);
    expect(valueOf("500", ms)).to.equal(500);
    expect(valueOf("86400000", ms)).to.equal(86_400_000);
    expect(problemsOf(ms, { X: "499" })).to.deep.equal([
      'X is "499": give a whole number from 500 to 86400000, in ms',
    ]);
    expect(problemsOf(ms, { X: "86400001" })).to.have.length(1);
  });

  it("matches a choice case-sensitively", () => {
    expect(valueOf("b", choice)).to.equal("b");
    expect(problemsOf(choice, { X: "B" })).to.deep.equal([
      'X is "B": give one of a, b',
    ]);
  });

  it("reads a choice of two as true or false", () => {
    const either = values.either("off", "on");
    expect(valueOf("on", either)).to.equal(true);
    expect(valueOf("off", either)).to.equal(false);
    expect(problemsOf(either, { X: "yes" })).to.deep.equal([
      'X is "yes": give one of off, on',
    ]);
  });

  it("reads a list, with blanks around its parts", () => {
    expect(valueOf("2, 4 ,6", evenNumbers)).to.deep.equal([2, 4, 6]);
    const texts = values.list("texts", values.anyText);
    expect(valueOf(" a,b c ", texts)).to.deep.equal(["a", "b c"]);
  });

  for (const text of ["2,3", "2,", ",", "2,,4"]) {
    it(`rejects the list ${text} as a whole`, () => {
      expect(problemsOf(evenNumbers, { X: text })).to.deep.equal([
        `X is "${text}": give even numbers`,
      ]);
    });
  }

  for (const origin of ["http://127.0.0.1:3001", "http://web1/"]) {
    it(`accepts the origin ${origin}`, () => {
      const { href } = valueOf(origin, values.httpOrigin);
      expect(href).to.equal(new URL(origin).href);
    });
  }

  for (const origin of [
    "https://web1",
    "web1:3001",
    "http://web1/path",
    "http://web1/?a",
    "http://web1/?",
    "http://web1/#a",
    "http://user@web1",
    "http://:pw@web1",
  ]) {
    it(`rejects the origin ${JSON.stringify(origin)}`, () => {
      expect(problemsOf(values.httpOrigin, { X: origin })).to.have.length(1);
    });
  }

  it("never repeats a secret", () => {
    const token = values.secret(values.text("a token", /^t$/));
    expect(problemsOf(token, { X: "hunter2" })).to.deep.equal([
      "X is malformed (value not shown): give a token",
    ]);
  });

  it("escapes control characters in a value", () => {
    const problems = problemsOf(choice, { X: "a\nb\u0007" });
    expect(problems[0]).to.include('X is "a\\nb\\u0007"');
  });

  it("reports all problems together, in the order of reading", () => {
    const settings = new SettingsReader({ A: "x", B: "2" });
    const meaning = "it";
    settings.read({
      a: setting("A", integer, { meaning }),
      b: setting("B", integer, { meaning }),
      nested: { c: required(setting("C", choice, { meaning })) },
    });
    settings.reject("A and B contradict each other");
    expect(() => settings.finish()).to.throw(
      SettingsError,
      "bad settings:\n" +
        '  - A is "x": give a whole number from 1 to 10\n' +
        "  - C is not set: give one of a, b\n" +
        "  - A and B contradict each other",
    );
  });
});
