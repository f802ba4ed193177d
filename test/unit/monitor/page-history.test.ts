import { expect } from "chai";
import type {
  HistoryMark,
  HistoryPoint,
  HistoryReport,
} from "../../../apps/monitor/messages/history-report.js";
import { importPageModule } from "../../support/page-module.js";

const NOW = 1_700_000_007_000;
const STEP_MS = 5000;
/** The step that contains `NOW`. */
const STEP = 1_700_000_005_000;

const pointOf = (at: number, hosts: HistoryPoint["hosts"] = {}) => ({
  at,
  canaryShare: 0.25,
  sides: null,
  hosts,
});
const markOf = (id: string, at: number): HistoryMark => ({
  ...{ id, at, kind: "flip", value: false },
  ...{ by: "monitor", reason: "slow" },
});
const REPORT: HistoryReport = {
  now: NOW,
  stepMs: STEP_MS,
  spanMs: 4 * STEP_MS,
  points: [pointOf(STEP - STEP_MS)],
  hosts: [{ id: "agent@web1:3101", target: "prod", host: "web1" }],
  marks: [markOf("1-0", STEP - STEP_MS)],
  rules: {
    latency: { thresholdMs: 500, quantile: 0.95 },
    cpu: { threshold: 0.9 },
  },
};

/** The part of the page's history-book.ts that the tests use. */
interface BookModule {
  HistoryBook: new () => {
    replace: (report: HistoryReport) => void;
    add: (points: readonly HistoryPoint[]) => void;
    mark: (mark: HistoryMark) => void;
    marks: () => HistoryMark[];
    hasNewHosts: (points: readonly HistoryPoint[]) => boolean;
    timeline: (now: number) => {
      times: number[];
      points: (HistoryPoint | undefined)[];
    };
  };
  newestValue: (line: readonly (number | null)[]) => number | null;
}

interface Line {
  label: string;
  dash: number[];
  read: (point: HistoryPoint) => number | null;
}

/** The part of the page's chart-specs.ts that the tests use. */
interface SpecsModule {
  createSpecs: (report: HistoryReport) => {
    title: string;
    lines: Line[];
    threshold?: number;
  }[];
}

describe("the dashboard's history", () => {
  let module: BookModule;

  before(async () => {
    module = await importPageModule<BookModule>("charts/history-book");
  });

  function open(report = REPORT) {
    const book = new module.HistoryBook();
    book.replace(report);
    return book;
  }

  it("has every step of its span, empty without data", () => {
    const book = open();
    book.add([pointOf(STEP)]);
    const { times, points } = book.timeline(NOW);
    expect(times.map((time) => time * 1000 - STEP)).to.deep.equal([
      ...[-20_000, -15_000, -10_000, -5000, 0],
    ]);
    expect(points.map((point) => point?.at)).to.deep.equal([
      ...[undefined, undefined, undefined],
      ...[STEP - STEP_MS, STEP],
    ]);
  });

  it("keeps the newest point of a step, and each mark once", () => {
    const book = open();
    book.add([{ ...pointOf(STEP), canaryShare: 0.1 }]);
    book.add([{ ...pointOf(STEP), canaryShare: 0.2 }]);
    book.mark(markOf("1-0", STEP - STEP_MS));
    book.mark(markOf("2-0", STEP));
    expect(book.timeline(NOW).points.at(-1)?.canaryShare).to.equal(0.2);
    expect(book.marks().map(({ id }) => id)).to.deep.equal(["1-0", "2-0"]);
  });

  it("keeps a mark that arrives while the history is fetched", () => {
    const book = new module.HistoryBook();
    book.mark(markOf("2-0", STEP));
    book.replace(REPORT);
    book.mark(markOf("3-0", STEP));
    book.replace(REPORT);
    const ids = book.marks().map(({ id }) => id);
    expect(ids).to.have.members(["1-0", "2-0", "3-0"]);
  });

  it("forgets data older than its span", () => {
    const book = open();
    const { points } = book.timeline(NOW + 5 * STEP_MS);
    expect(points.every((point) => point === undefined)).to.equal(true);
    expect(book.marks()).to.be.empty;
  });

  it("detects unknown hosts", () => {
    const figures = { cpuRatio: 0.1, rssBytes: 1e6 };
    const of = (id: string) => [pointOf(STEP, { [id]: figures })];
    expect(open().hasNewHosts(of("agent@web1:3101"))).to.equal(false);
    expect(open().hasNewHosts(of("agent@web2:3102"))).to.equal(true);
  });

  it("returns only a current value as a line's newest", () => {
    expect(module.newestValue([1, 2, 3])).to.equal(3);
    expect(module.newestValue([1, 2, null])).to.equal(2);
    expect(module.newestValue([1, null, null])).to.equal(null);
    expect(module.newestValue([])).to.equal(null);
  });
});

describe("the dashboard's charts", () => {
  let specs: ReturnType<SpecsModule["createSpecs"]>;
  const side = (ms: number) => ({
    ...{ requestsPerSecond: ms * 10, errorRatio: ms / 100 },
    withoutFeaturePerSecond: ms * 2,
    ...{ p50Ms: ms, p95Ms: ms + 1, p99Ms: ms + 2 },
  });
  const point: HistoryPoint = {
    at: STEP,
    canaryShare: 0.25,
    sides: { prod: side(3), canary: side(6) },
    hosts: { "agent@web2:3102": { cpuRatio: 0.5, rssBytes: 7e7 } },
  };

  before(async () => {
    const hosts: HistoryReport["hosts"] = [
      { id: "agent@web2:3102", target: "canary", host: "web2" },
      { id: "agent@web1:3101", target: "prod", host: "web1" },
      { id: "agent@web1:3103", target: "prod", host: "web1" },
    ];
    const module = await importPageModule<SpecsModule>("charts/chart-specs");
    specs = module.createSpecs({ ...REPORT, hosts });
  });

  const linesOf = (title: string) =>
    specs.find((spec) => spec.title.startsWith(title))!.lines;
  const readAll = (title: string, at: HistoryPoint) =>
    linesOf(title).map(({ label, read }) => [label, read(at)]);

  it("show each side's percentiles, requests, errors, and the canary's share", () => {
    expect(readAll("Latency", point)).to.deep.equal([
      ...[
        ["prod p50", 3],
        ["prod p95", 4],
        ["prod p99", 5],
      ],
      ...[
        ["canary p50", 6],
        ["canary p95", 7],
        ["canary p99", 8],
      ],
    ]);
    expect(readAll("Requests", point)).to.deep.equal([
      ["prod", 30],
      ["canary", 60],
      ["no feature", 6],
    ]);
    expect(readAll("Errors", point)).to.deep.equal([
      ["prod", 0.03],
      ["canary", 0.06],
    ]);
    expect(readAll("Split", point)).to.deep.equal([["canary", 0.25]]);
  });

  it("show each host, by its agent where a host has several", () => {
    expect(readAll("CPU", point)).to.deep.equal([
      ["prod agent@web1:3101", null],
      ["prod agent@web1:3103", null],
      ["canary web2", 0.5],
    ]);
    expect(readAll("Memory", point).at(-1)).to.deep.equal(["canary web2", 7e7]);
  });

  it("show no values without data", () => {
    const silent = { ...point, sides: null, canaryShare: null, hosts: {} };
    for (const { lines } of specs)
      for (const { read } of lines) expect(read(silent)).to.equal(null);
  });

  it("draw the limits, and distinguish all lines of a chart", () => {
    expect(specs.map(({ threshold }) => threshold)).to.deep.equal([
      ...[500, undefined, undefined, undefined, 0.9, undefined],
    ]);
    for (const title of ["CPU", "Requests"]) {
      const dashes = linesOf(title).map(({ dash }) => dash.join());
      expect(new Set(dashes).size, title).to.equal(dashes.length);
    }
  });
});
