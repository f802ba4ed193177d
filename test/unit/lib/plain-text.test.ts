import { expect } from "chai";
import { createLogger } from "../../../lib/program/log.js";
import {
  escapeUnsafe,
  oneLine,
  toPlain,
  toPlainLines,
} from "../../../lib/wording/plain-text.js";
import { CliError } from "../../../apps/cli/exit-status.js";
import { Output } from "../../../apps/cli/output.js";

/** Controls, and characters that hide or reorder text, as code points. */
const UNSAFE = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  ...[0xad, 0x61c, 0x180e, 0xfeff, 0xe0041],
  ...range(0x200b, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x206f),
].map((code) => String.fromCodePoint(code));

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

describe("plain text", () => {
  it("replaces each character that controls, hides or reorders text", () => {
    for (const character of UNSAFE)
      expect(toPlain(`a${character}b`), escape(character)).to.equal("a b");
    expect(toPlain("a\ud800b")).to.equal("a b");
    expect(toPlain("größer – 大きい تم 🔥")).to.equal("größer – 大きい تم 🔥");
    expect(oneLine(" a\u202e \n b ")).to.equal("a b");
    expect(toPlainLines("a\u001b[31m\nb\r")).to.equal("a [31m\nb ");
  });

  it("escapes them in JSON without a change of meaning", () => {
    const value = { [UNSAFE.join("")]: UNSAFE, line: "a\nb" };
    const json = escapeUnsafe(JSON.stringify(value, undefined, 2));
    expect(json).to.match(/^[\n -~]*$/);
    expect(JSON.parse(json)).to.deep.equal(value);
  });

  it("is what programs log and serin prints", () => {
    const written: string[] = [];
    const write = (text: string) => void written.push(text);
    createLogger("proxy", "info", { write }).info(
      { path: "/\u202e" },
      "\u009b",
    );
    new Output({ write }, {}).json({ reason: "\u2066\u009b" });
    expect(written.join("")).to.match(/^[\n -~]*$/);
    expect(new CliError(1, "a\u001b[2J\u202e\nb").message).to.equal(
      "a [2J \nb",
    );
  });
});

function escape(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16)}`;
}
