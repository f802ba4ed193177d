import * as z from "zod";
import { ledgerEvent } from "../../../lib/flag/ledger.js";
import { releaseVersion } from "../../../lib/program/release.js";
import { planReport } from "../../../lib/telemetry/plan-report.js";
import { historyReport } from "../messages/history-report.js";
import { verdictReport } from "../verdict/verdict.js";
import { rolloutAnswer } from "./rollout-backend.js";
import { eventsQuery, flipBody, planQuery, rolloutBodies } from "./requests.js";
import { monitorState } from "./state.js";

export interface Operation {
  method: "get" | "post";
  /** As OpenAPI spells it: `/api/flags/{name}`. */
  path: string;
  summary: string;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** The status of success (200 by default) and its body; JSON unless it is a media type. */
  status?: number;
  answer: z.ZodType | string;
  /** With `ADMIN_TOKEN` set, only its bearer may do this. */
  isGuarded?: boolean;
  /** Statuses of refusals, with what they mean. */
  refusals?: Record<number, string>;
}

const status = z.object({ status: z.string() });
const BAD = { 400: "the request is malformed; the error says what is right" };
const OUTAGE = { 503: "Redis does not answer; try again" };

/** Everything that the monitor answers but the dashboard's files and the pages that messages link to. */
export const OPERATIONS: readonly Operation[] = [
  {
    ...{ method: "get", path: "/healthz", answer: status },
    summary: "Whether the process runs",
  },
  {
    ...{ method: "get", path: "/readyz" },
    summary: "Whether the monitor can judge",
    answer: status.extend({ alerts: z.array(z.string()).optional() }),
    refusals: { 503: "it cannot; `status` says why" },
  },
  {
    ...{ method: "get", path: "/metrics", answer: "text/plain" },
    summary: "Metrics for Prometheus",
  },
  {
    ...{ method: "get", path: "/api/openapi.json" },
    summary: "This document",
    answer: z.looseObject({ openapi: z.string() }),
  },
  {
    ...{ method: "get", path: "/api/state", answer: monitorState },
    summary: "The flag, both sides, proxies, hosts and the verdict",
    refusals: OUTAGE,
  },
  {
    ...{ method: "get", path: "/api/events", query: eventsQuery },
    summary: "The ledger, newest first",
    answer: z.array(ledgerEvent),
    refusals: { ...BAD, ...OUTAGE },
  },
  {
    ...{ method: "get", path: "/api/plan", query: planQuery },
    summary:
      "What rollouts would find by prod's traffic, and a recommended one",
    answer: planReport,
    refusals: { ...BAD, ...OUTAGE },
  },
  {
    ...{ method: "get", path: "/api/history", answer: historyReport },
    summary: "The last 15 minutes in steps of five seconds",
  },
  {
    ...{ method: "get", path: "/api/stream", answer: "text/event-stream" },
    summary: "State, points and events as they come, for dashboards",
  },
  {
    ...{ method: "get", path: "/api/verdicts/{id}" },
    summary: "The verdict behind an event, recomputed from the ledger",
    answer: z.object({
      id: z.string(),
      recorded: z.number(),
      verdict: verdictReport,
    }),
    refusals: { ...BAD, 404: "the event has no verdict", ...OUTAGE },
  },
  {
    ...{ method: "post", path: "/api/flags/{name}", body: flipBody },
    summary: "Flips the flag, and waits for the proxies' receipts",
    isGuarded: true,
    answer: z.object({
      name: z.string(),
      value: z.boolean(),
      changed: z.boolean(),
      proxies: z.number(),
      confirmed: z.boolean(),
      effect: z.string(),
    }),
    refusals: { ...BAD, 404: "the monitor has another flag", ...OUTAGE },
  },
  {
    ...{ method: "get", path: "/api/rollout", answer: rolloutAnswer },
    summary: "The current or last rollout, and those before it",
    refusals: OUTAGE,
  },
  {
    ...{ method: "post", path: "/api/rollout/{verb}" },
    summary: `Steers the rollout, and waits for the proxies' receipts: ${Object.keys(rolloutBodies).join(", ")}`,
    body: z.union(Object.values(rolloutBodies)),
    isGuarded: true,
    answer: z.object({
      sentence: z.string(),
      /** What the proxies made of it; null if it concerns none. */
      effect: z.string().nullable(),
      confirmed: z.boolean(),
    }),
    refusals: {
      ...{ ...BAD, 404: "there is no such verb", ...OUTAGE },
      409: "the rollout is in another phase; nothing was changed",
    },
  },
  {
    ...{ method: "post", path: "/api/release", status: 202, answer: status },
    summary: "Restarts the comparison for a new release of the canary",
    isGuarded: true,
    refusals: OUTAGE,
  },
  {
    ...{ method: "post", path: "/api/test-mail", status: 202 },
    summary: "Sends a test message through all channels",
    isGuarded: true,
    answer: z.object({ id: z.string(), transport: z.string() }),
    refusals: OUTAGE,
  },
];

const ERROR = z.object({ error: z.string() });

/** The OpenAPI 3.1 document of the monitor's API, made from the schemas that its requests and answers have. */
export function describeApi() {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const { path, method } = operation;
    paths[path] = { ...paths[path], [method]: describeOperation(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Serin monitor",
      version: releaseVersion(),
      description:
        "Times are ISO 8601, UTC, or ms since the epoch. Fields may be added in later versions.",
    },
    paths,
    components: {
      securitySchemes: { adminToken: { type: "http", scheme: "bearer" } },
    },
  };
}

function describeOperation(operation: Operation) {
  const { path, query, body, answer, isGuarded = false } = operation;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parameters = [
    ...names.map((name) => ({
      ...{ name, in: "path", required: true, schema: { type: "string" } },
    })),
    ...Object.entries(query ? (toJsonSchema(query).properties ?? {}) : {}).map(
      ([name, schema]) => ({ name, in: "query", schema }),
    ),
  ];
  const refusals = {
    ...operation.refusals,
    ...(isGuarded && { 401: "the admin token is missing or wrong" }),
    403: "a foreign page asks, or a foreign name without ADMIN_TOKEN",
  };
  return {
    summary: operation.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: asJson(body) } }),
    ...(isGuarded && { security: [{}, { adminToken: [] }] }),
    responses: {
      [operation.status ?? 200]: {
        description: "done",
        content: typeof answer === "string" ? { [answer]: {} } : asJson(answer),
      },
      ...Object.fromEntries(
        Object.entries(refusals).map(([code, description]) => [
          code,
          { description, content: asJson(ERROR) },
        ]),
      ),
    },
  };
}

function asJson(schema: z.ZodType) {
  return { "application/json": { schema: toJsonSchema(schema) } };
}

function toJsonSchema(schema: z.ZodType) {
  return z.toJSONSchema(schema, {
    io: "input",
    // OpenAPI 3.1 has this dialect.
    override: ({ jsonSchema }) => delete jsonSchema.$schema,
  });
}
