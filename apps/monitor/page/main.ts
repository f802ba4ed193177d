import type { StateMessage } from "../messages/page-messages.js";
import { ChartBoard } from "./charts/chart-board.js";
import { Breakdown } from "./breakdown.js";
import { ChangeDialog } from "./change-dialog.js";
import { Comparison } from "./comparison.js";
import { Controls } from "./controls.js";
import { byId, setText } from "./element.js";
import { FreshnessKeeper } from "./freshness.js";
import { HeadlineView } from "./headline-view.js";
import { LedgerList } from "./ledger-list.js";
import { Members } from "./members-table.js";
import { MonitorStream } from "./monitor-stream.js";
import { RolloutView } from "./rollout-view.js";

/** Short enough that countdowns skip no second. */
const TICK_MS = 250;
const RETRY_MS = 1000;

const freshness = new FreshnessKeeper();
const now = () => freshness.now();
const freshnessLine = byId("freshness");
const headline = new HeadlineView();
const rollout = new RolloutView();
const comparison = new Comparison();
const breakdown = new Breakdown();
const dialog = new ChangeDialog();
const controls = new Controls(dialog);
const ledger = new LedgerList(now);
const charts = new ChartBoard(now);
const members = new Members();
let message: StateMessage | undefined;

function tick(): void {
  const judged = freshness.judge();
  freshnessLine.dataset.level = judged.level;
  document.body.dataset.freshness = judged.level;
  setText(freshnessLine, judged.text);
  headline.show(message, judged, now());
  if (message === undefined) return;
  rollout.show(message.state.rollout, now());
  members.show(message.state, now());
}

function showState(heard: StateMessage): void {
  message = heard;
  freshness.heardState(heard.now);
  setText(byId("system"), heard.system);
  setText(byId("flag-name"), heard.state.flag.name);
  comparison.show(heard);
  breakdown.show(heard.state);
  dialog.show(heard.tokenRequired);
  controls.show(heard.state);
  tick();
}

/** Retries until it succeeds or is called again. Meanwhile the page shows what is missing. */
function createFetcher(part: { fetch: () => Promise<boolean> }): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const fetchWhole = async () => {
    clearTimeout(timer);
    if (!(await part.fetch()))
      timer = setTimeout(() => void fetchWhole(), RETRY_MS);
  };
  return () => void fetchWhole();
}

const fetchHistory = createFetcher(charts);
const fetchLedger = createFetcher(ledger);

new MonitorStream({
  state: showState,
  points: (points) => {
    if (charts.add(points)) fetchHistory();
  },
  ledger: (event) => {
    ledger.add(event);
    charts.mark(event);
  },
  history: () => {
    fetchHistory();
    fetchLedger();
  },
  outage: ({ reason }) => {
    freshness.heardOutage(reason);
    controls.lock();
    tick();
  },
}).start();
setInterval(tick, TICK_MS);
tick();
