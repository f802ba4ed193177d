import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startFedMonitor } from "../support/browser/fed-monitor.js";
import { encodeHostDecks } from "../../lib/telemetry/host-decks.js";
import {
  deckOf,
  routeWindow,
  slowerBy,
} from "../support/monitor/verdict-traffic.js";
import { encodeDecks } from "../../lib/telemetry/decks.js";
import { createSeededRandom } from "../support/seeded-random.js";
import {
  writeTelemetry,
  type HostSample,
  type Side,
} from "../../lib/telemetry/telemetry.js";
import {
  histogramOf,
  hostSample,
  times,
} from "../support/monitor/telemetry.js";
import { waitFor } from "../support/wait-for.js";

const MS = /^[\d.,]+ ms$/;
const PER_SECOND = /^[\d.]+\/s$/;
const PERCENT = /^[\d.]+ %$/;
const MEGABYTES = /^\d+ MB$/;
/** Across all charts: six latencies, the split, and two each of requests, errors, CPU and memory. */
const LINES = 16;
/** The time range of a chart. */
const SPAN_MS = 900_000;

describe("dashboard content", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("shows a value in every legend and host column, and a tooltip on every mark", async () => {
    const { monitor } = await startFedMonitor();
    const reason = "a test asks for it";
    await monitor.postFlag({ value: false, reason });
    await monitor.postFlag({ value: true, reason });
    const { page } = await openDashboardPage(browser(), monitor.port);
    const legends = await waitFor("a value for each line", async () => {
      const entries = await readLegends(page);
      const isComplete =
        entries.length === LINES &&
        entries.every(([, , value]) => value !== "–");
      return isComplete && entries;
    });
    for (const [chart, line, shape] of [
      ["Latency", /^(prod|canary) p(50|95|99)$/, MS],
      ["Requests", /^(prod|canary|no feature)$/, PER_SECOND],
      ["Errors", /^(prod|canary)$/, PERCENT],
      ["Split", /^canary$/, PERCENT],
      ["CPU", /^(prod|canary) \S+$/, PERCENT],
      ["Memory", /^(prod|canary) \S+$/, MEGABYTES],
    ] as const) {
      const lines = legends.filter(([title]) => title.startsWith(chart));
      expect(lines, chart).to.have.length(
        { Latency: 6, Requests: 3, Split: 1 }[chart as string] ?? 2,
      );
      for (const [, label, value] of lines) {
        expect(label, chart).to.match(line);
        expect(value, `${chart}, ${label}`).to.match(shape);
      }
    }
    const cells = page.locator("#hosts tr").last().locator("td");
    const shapes = [
      ...[/^\S+$/, /^canary$/, /^healthy$/, /^\d+\.\d+\.\d+/, /^\d+$/],
      ...[
        /^\d\d:\d\d:\d\d UTC \(\d+ s\)$/,
        PERCENT,
        MEGABYTES,
        MS,
        /^\d s ago$/,
      ],
    ];
    // A host whose sample is late is not healthy until the next one.
    const texts = await waitFor("the canary's host to be healthy", async () => {
      const read = (await cells.allInnerTexts()).map((text) => text.trim());
      return read[2] === "healthy" && /^\d s ago$/.test(read[9] ?? "") && read;
    });
    for (const [i, shape] of shapes.entries()) expect(texts[i]).to.match(shape);
    await pointAtNewestMark(
      page,
      (await monitor.events("kind=flip")).at(-1)!.at,
    );
    const tip = page.locator(".chart-tip:visible");
    await waitFor("the mark's tooltip", async () =>
      /■ \d\d:\d\d:\d\d UTC stopped by operator: a test asks for it/.test(
        (await tip.allInnerTexts()).join(),
      ),
    );
  });

  it("shows an open verdict first, and a worse canary when requests suffice", async () => {
    const { fleet, monitor } = await startFedMonitor({
      LATENCY_THRESHOLD_MS: "60000",
      VERDICT: "observe",
      VERDICT_WARM_UP: "0s",
    });
    // The first verdict lasts for a few seconds of load: open the page before it.
    const { page } = await openDashboardPage(browser(), monitor.port);
    const random = createSeededRandom(1);
    const worse = slowerBy(1.5);
    const answer = (side: Side) => worse(side, "GET /get", random);
    fleet.fieldsOf = (side) => {
      const dealt = side === "prod" ? 9 : 3;
      const answers = times(dealt, side).map(answer);
      const routes = { "GET /get": routeWindow(answers) };
      if (side === "prod") return { dealt, routes };
      const decks = times(dealt, ["canary", "prod", "prod", "prod"] as const);
      const dealtNow = decks.map((sides) =>
        deckOf(
          sides.map((of) => ({
            ...answer(of),
            ...{ side: of, route: "GET /get", atMs: Date.now() },
          })),
        ),
      );
      return {
        dealt,
        routes,
        ...encodeDecks(dealtNow.filter((deck) => deck !== undefined)),
      };
    };
    const verdict = page.locator("#verdict");
    const untilShown = (outcome: string, text: RegExp) =>
      waitFor(
        `the verdict ${outcome}`,
        async () =>
          (await verdict.getAttribute("data-outcome")) === outcome &&
          text.test(await verdict.innerText()),
        40_000,
      );
    await untilShown(
      "insufficient",
      /^Too early to tell · odds .+ for worse · about [\d,]+ more canary requests needed, \d+ min$/,
    );
    await untilShown(
      "worse",
      /^Yes, worse than prod · odds [\d,]+ : 1 for worse$/,
    );
    const { routes } = (await monitor.state()).verdict!;
    expect(routes).to.have.length(1);
    expect(await page.locator("#routes tr").innerText()).to.match(
      /^GET \/get\s+[\d,]+\s+[\d,]+\s+\S+ ms → \S+ ms, × 1\.\d\d\s+\S+ ms → \S+ ms, × \d\.\d\d\s+[\d,]+ : 1$/,
    );
  });

  it("shows what the comparison of prod's hosts needs", async () => {
    const { fleet, monitor } = await startFedMonitor();
    const { page } = await openDashboardPage(browser(), monitor.port);
    const placebo = page.locator("#placebo");
    expect((await placebo.innerText()).trim()).to.equal("");
    fleet.fieldsOf = (side) =>
      side === "canary"
        ? { dealt: 0, routes: {}, decks: [], deckRoutes: [] }
        : { dealt: 0, routes: {}, hostDecks: encodeHostDecks(1, []) };
    await waitFor(
      "the line",
      async () =>
        (await placebo.innerText()) ===
        "prod against itself: needs two prod hosts",
    );
  });

  it("keeps the comparison of the stop while the canary is stopped", async () => {
    const { fleet, monitor } = await startFedMonitor({ COOLDOWN_MS: "60000" });
    const { page, untilTone } = await openDashboardPage(
      browser(),
      monitor.port,
    );
    await waitFor("requests of the canary", async () => {
      return (await monitor.state()).sides.canary.requests > 10;
    });
    const slow = { requests: 1, errors: 1, latency: histogramOf([900]) };
    fleet.fieldsOf = (side) =>
      side === "canary" ? { instances: { "10.0.0.13:3002": slow } } : {};
    fleet.latencyMs.canary = 900;
    await untilTone("stopped");
    fleet.latencyMs.canary = null;
    fleet.fieldsOf = (side) => (side === "prod" ? { withoutFeature: 2 } : {});
    await waitFor("a window without the canary", async () => {
      return (await monitor.state()).sides.canary.requests === 0;
    });
    const verdict = await page.locator("#verdict").innerText();
    expect(verdict).to.equal(
      "Stopped by the latency threshold · not compared since",
    );
    const caption = page.locator("#figures-caption");
    expect(await caption.innerText()).to.equal("The 2 s before the stop");
    const row = (name: string) =>
      page.locator("#figures tr", { hasText: name }).innerText();
    expect(await row("p95")).to.match(/p95\s+4 ms\s+9\d\d ms\s+× 2\d\d/);
    expect(await page.locator("#instances-summary").innerText()).to.equal(
      "the 2 s before the stop",
    );
    expect(await page.locator("#instances tr").innerText()).to.match(
      /^10\.0\.0\.13:3002\s+canary\s+\d+\s+100 %\s+9\d\d ms\s+9\d\d ms$/,
    );
    await waitFor("the requests that are turned away", async () =>
      /No feature\s+\d+\/s\s+–\s+–/.test(await row("No feature")),
    );
    expect(await page.locator("#headline-detail").innerText()).to.match(
      /^Prod answers [\d.]+ requests\/s without the feature · Watched by /,
    );
    await monitor.postFlag({ value: true });
    await untilTone("good");
    expect(await caption.innerText()).to.equal("Last 2 s");
  });

  it("shows an event's figures in words, and leads to its page", async () => {
    const { fleet, monitor } = await startFedMonitor({ COOLDOWN_MS: "60000" });
    fleet.latencyMs.canary = 900;
    const { page } = await openDashboardPage(browser(), monitor.port);
    const breach = page.locator(".event", { hasText: "breach" }).first();
    await breach.locator("summary").click();
    expect((await breach.locator("dl").innerText()).split("\n")).to.include(
      "threshold",
    );
    expect(await breach.locator("dd").allInnerTexts()).to.include("500 ms");
    await breach.locator("a").click();
    await page.getByRole("heading", { name: /500 ms/ }).waitFor();
  });

  it("puts hosts in trouble first, and counts them", async () => {
    const { test, monitor } = await startFedMonitor();
    const at = Date.now();
    const sample = (host: string, fields: Partial<HostSample>) => ({
      ...{ kind: "host" as const, source: `agent@${host}:3101`, at },
      data: hostSample("prod", { host, ...fields }),
    });
    const bad = { ok: false, ms: 1, status: null };
    await writeTelemetry(test.redis, test.keys, [
      ...Array.from({ length: 18 }, (_, i) => sample(`a${10 + i}`, {})),
      sample("b1", { probe: bad }),
      sample("b2", { up: false, probe: bad }),
    ]);
    const { page, headline } = await openDashboardPage(browser(), monitor.port);
    await waitFor("all hosts", async () => {
      return (await page.locator("#hosts tr").count()) === 22;
    });
    const hosts = await page.locator("#hosts td:first-child").allInnerTexts();
    expect(hosts.slice(0, 3)).to.deep.equal(["b2", "b1", "a10"]);
    expect(await page.locator("#hosts-summary").innerText()).to.equal(
      "1 gone · 1 probe fails · 20 healthy",
    );
    expect(await headline()).to.match(
      / · prod's app on b2 is gone, and 1 more app is unwell$/,
    );
  });

  it("says in words what each chart shows", async () => {
    const { monitor } = await startFedMonitor();
    const { page } = await openDashboardPage(browser(), monitor.port);
    await waitFor("the picture of the latency in words", async () => {
      const images = await page.getByRole("img", { name: /^Latency: / }).all();
      const [name] = await Promise.all(
        images.map((image) => image.getAttribute("aria-label")),
      );
      return /^Latency: prod p50 3\.9 ms, from .+ to .+; prod p95 /.test(
        name ?? "",
      );
    });
    const charts = await page.locator("canvas[role=img]").count();
    expect(charts).to.equal(6);
  });

  it("filters events by kind", async () => {
    const { monitor } = await startFedMonitor();
    const { page } = await openDashboardPage(browser(), monitor.port);
    await monitor.postFlag({ value: false });
    const kinds = page.locator(".event .kind");
    await waitFor("the flip", async () =>
      (await kinds.allInnerTexts()).includes("flip off"),
    );
    await page.locator("#ledger-kind").selectOption("flip");
    await waitFor(
      "only the flip",
      async () => (await kinds.allInnerTexts()).join() === "flip off",
    );
    await monitor.postFlag({ value: true });
    await waitFor(
      "the newer flip first",
      async () => (await kinds.allInnerTexts()).join() === "flip on,flip off",
    );
    await page.locator("#ledger-kind").selectOption("silence");
    await page.getByText("No events of this kind.").waitFor();
  });
});

/** The chart, line and value of each legend entry. */
async function readLegends(page: Page): Promise<[string, string, string][]> {
  return await page.evaluate(`[...document.querySelectorAll(".legend-entry")].map((entry) => [
    entry.closest(".chart").querySelector("h3").textContent,
    entry.querySelector(".legend-label").textContent,
    entry.querySelector(".legend-value").textContent,
  ])`);
}

/** The plot covers the last 15 minutes. */
async function pointAtNewestMark(page: Page, at: string): Promise<void> {
  const plot = page.locator(".chart .u-over").nth(1);
  const { width = 0, height = 0 } = (await plot.boundingBox()) ?? {};
  const x = width * (1 - (Date.now() - Date.parse(at)) / SPAN_MS);
  await plot.hover({
    position: { x: Math.min(width - 2, x), y: height / 2 },
  });
}
