import type { Express, RequestHandler } from "express";
import type { HistoryReport } from "../messages/history-report.js";
import { HttpError } from "./access.js";
import type { PageFile } from "./page-files.js";
import type { PageStream } from "./page-stream.js";

/** uPlot sets elements' styles through the CSSOM, which no directive forbids. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...["script-src", "style-src", "connect-src", "img-src"].map(
    (directive) => `${directive} 'self'`,
  ),
  ...["base-uri", "form-action", "frame-ancestors"].map(
    (directive) => `${directive} 'none'`,
  ),
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  vary: "Accept-Encoding",
};

export interface Dashboard {
  files: ReadonlyMap<string, PageFile>;
  stream: PageStream;
  readHistory: () => HistoryReport;
}

/** Serves the page at `/`, its files and its data. */
export function addDashboard(api: Express, dashboard: Dashboard): void {
  api.get("/api/history", (_request, response) => {
    response.set("cache-control", "no-store").json(dashboard.readHistory());
  });
  api.get("/api/stream", (_request, response) => {
    dashboard.stream.open(response);
  });
  api.use(serveFiles(dashboard.files));
}

function serveFiles(files: Dashboard["files"]): RequestHandler {
  return async (request, response, next) => {
    const file = files.get(request.path);
    if (request.path === "/" && file === undefined)
      throw new HttpError(404, "the dashboard was not built: npm run build");
    if (file === undefined || !["GET", "HEAD"].includes(request.method)) {
      next();
      return;
    }
    const accepted = request.acceptsEncodings("br", "gzip", "identity");
    const encoding =
      accepted === "br" || accepted === "gzip" ? accepted : "identity";
    const maxAge = file.isHashed
      ? "public, max-age=31536000, immutable"
      : "no-cache";
    response.set(HEADERS).set({
      "content-type": file.type,
      "cache-control": maxAge,
      etag: file.etag(encoding),
    });
    if (encoding !== "identity") response.set("content-encoding", encoding);
    response.send(await file.encode(encoding));
  };
}
