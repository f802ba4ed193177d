import { readFileSync } from "node:fs";
import { format } from "prettier";
import { renderReport, renderSummary } from "../compare/report.js";
import type { Results } from "../compare/results.js";
import { renderMarkdown } from "../compare/tables.js";
import {
  renderDashboard,
  type DashboardResults,
} from "../dashboard-results.js";
import type { DetectionResults } from "../detection/slower.js";
import { renderFaults, type FaultResults } from "../faults/results.js";
import { serviceFileSchema } from "../../lib/service-file.js";
import { pathOf } from "../results-file.js";
import { renderGoals } from "../simulate/goals.js";
import {
  renderHealthy,
  renderRivals,
  renderWorse,
  type SimulationResults,
} from "../simulate/tables.js";
import { describeVerdictCost, type VerdictResults } from "../verdict/cost.js";
import { replaceSection } from "./section.js";
import { renderServiceFields } from "./service-fields.js";
import { renderExample, renderSettings, settingsSchema } from "./settings.js";

/** The generated sections, by document and name. */
const SECTIONS: Record<string, Record<string, () => string>> = {
  "README.md": {
    figures: () => renderSummary(readResults("latest") as Results),
  },
  "docs/performance.md": {
    bench: () => renderReport(readResults("latest") as Results, renderMarkdown),
    faults: () => renderFaults(readResults("faults") as FaultResults),
    dashboard: () =>
      renderDashboard(readResults("dashboard") as DashboardResults),
  },
  "docs/verdict.md": {
    goals: () =>
      renderGoals({
        simulation: readSimulation(),
        detection: readResults("detection") as DetectionResults,
        cost: readResults("verdict") as VerdictResults,
      }),
    healthy: () => renderHealthy(readSimulation()),
    worse: () => renderWorse(readSimulation(), "worse"),
    ramp: () => renderWorse(readSimulation(), "ramp"),
    rivals: () => renderRivals(readSimulation()),
    cost: () => describeVerdictCost(readResults("verdict") as VerdictResults),
  },
  "docs/your-service.md": { fields: renderServiceFields },
  "docs/settings.md": { settings: renderSettings },
};

/** Files that are generated as a whole. */
const FILES: Record<string, () => string | Promise<string>> = {
  ".env.example": renderExample,
  "docs/settings.schema.json": () => formatSchema(settingsSchema()),
  "docs/serin.schema.json": () => formatSchema(serviceFileSchema()),
};

export interface GeneratedDocument {
  path: string;
  current: string;
  renewed: string;
}

/** The documents with generated sections, and the generated files: current and expected content. */
export async function renewDocuments(): Promise<GeneratedDocument[]> {
  const documents: GeneratedDocument[] = [];
  for (const [path, sections] of Object.entries(SECTIONS)) {
    const current = readFile(path);
    let renewed = current;
    for (const [name, render] of Object.entries(sections)) {
      const options = { parser: "markdown", printWidth: 120 };
      const content = await format(render(), options);
      renewed = replaceSection(renewed, name, content);
    }
    documents.push({ path, current, renewed });
  }
  for (const [path, render] of Object.entries(FILES))
    documents.push({ path, current: readFile(path), renewed: await render() });
  return documents;
}

function formatSchema(schema: object): Promise<string> {
  return format(JSON.stringify(schema), { parser: "json" });
}

function readSimulation(): SimulationResults {
  return readResults("simulate") as SimulationResults;
}

function readResults(name: string): unknown {
  return JSON.parse(readFile(`bench/results/${name}.json`));
}

function readFile(path: string): string {
  return readFileSync(pathOf(`../../${path}`), "utf8");
}
