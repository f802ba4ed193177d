import { expect } from "chai";
import { cut, widthOf, wrap } from "../../../apps/cli/fit.js";
import { hang, layOut, layOutFacts } from "../../../apps/cli/table.js";

const SENTENCE =
  "カナリアは停止 because GET /cart is 2.1 × slower 🐤🐤 than prod, and anunbrokenwordthatisverylongindeed ends it";

describe("text in a terminal", () => {
  it("is wrapped whole, wide characters and long words too", () => {
    for (const width of [10, 36, 60, 80]) {
      const lines = wrap(SENTENCE, width);
      expect(Math.max(...lines.map(widthOf)), `${width}`).to.be.at.most(width);
      expect(lines.join("").replaceAll(" ", "")).to.equal(
        SENTENCE.replaceAll(" ", ""),
      );
    }
    expect(wrap("one  two", Infinity)).to.deep.equal(["one  two"]);
    expect(wrap("", 10)).to.deep.equal([""]);
  });

  it("is cut between characters", () => {
    expect(cut("カナリア", 8)).to.equal("カナリア");
    expect(cut("カナリア", 7)).to.equal("カナリ…");
    expect(cut("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3)).to.equal("👩‍👩‍👧‍👦…");
  });

  it("hangs beside its head, or below it where the terminal is narrow", () => {
    expect(hang("verdict  ", "one two three", 40)).to.deep.equal([
      "verdict  one two three",
    ]);
    expect(hang("verdict  ", "one two three four five", 33)).to.deep.equal([
      "verdict  one two three four five",
    ]);
    expect(hang("verdict  ", "one two three four sixty one", 33)).to.deep.equal(
      ["verdict  one two three four sixty", "         one"],
    );
    expect(hang("last canary request  ", "one two three", 33)).to.deep.equal([
      "last canary request",
      "    one two three",
    ]);
  });
});

describe("a table", () => {
  const columns = [
    { title: "host" },
    { title: "app" },
    { title: "CPU", isFigure: true, isSpare: true },
    { title: "probe", isFigure: true },
  ];
  const rows = [
    ["agent@東京:3101", "0.2.0-20261201103111-6d4fa83819", "9 %", "ok 2.7 ms"],
    ["agent@web1:3101", "0.2.0", "100 %", "FAILS 10 ms"],
  ];

  it("aligns wide characters", () => {
    const lines = layOut(columns, rows);
    const starts = lines.map((line) =>
      widthOf(line.slice(0, line.search(/app|0\.2\.0/))),
    );
    expect(starts).to.deep.equal([17, 17, 17]);
    expect(new Set(lines.map(widthOf)).size).to.equal(1);
  });

  it("fits 80 and 60 columns by cutting texts, never figures", () => {
    const lines = layOut(columns, rows, 60);
    expect(lines).to.deep.equal([
      "host             app                        CPU        probe",
      "agent@東京:3101  0.2.0-20261201103111-6…    9 %    ok 2.7 ms",
      "agent@web1:3101  0.2.0                    100 %  FAILS 10 ms",
    ]);
    expect(lines.map(widthOf)).to.deep.equal([60, 60, 60]);
  });

  it("leaves spare columns out before it cuts texts below ten columns", () => {
    const lines = layOut(columns, rows, 38);
    expect(lines).to.deep.equal([
      "host         app                 probe",
      "agent@東京…  0.2.0-20261…    ok 2.7 ms",
      "agent@web1…  0.2.0         FAILS 10 ms",
    ]);
    expect(lines.map(widthOf)).to.deep.equal([38, 38, 38]);
  });

  it("keeps what a column needs to tell its rows apart", () => {
    const [host, ...rest] = columns;
    const lines = layOut([{ ...host!, least: 20 }, ...rest], rows, 43);
    expect(lines.join("\n"))
      .to.include("agent@東京:3101")
      .and.include("agent@web1");
    expect(Math.max(...lines.map(widthOf))).to.be.at.most(43);
  });

  it("keeps facts beside their names", () => {
    expect(
      layOutFacts(
        [
          ["verdict", "stopped 14:03:09 UTC by monitor: too slow"],
          ["mails", "0 waiting"],
        ],
        40,
      ),
    ).to.deep.equal([
      "verdict  stopped 14:03:09 UTC by",
      "         monitor: too slow",
      "mails    0 waiting",
    ]);
  });
});
