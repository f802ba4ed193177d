import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

type Encoding = "br" | "gzip" | "identity";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

const COMPRESS: Record<Encoding, (body: Buffer) => Promise<Buffer>> = {
  br: promisify<Buffer, Buffer>(brotliCompress),
  gzip: promisify<Buffer, Buffer>(gzip),
  identity: (body) => Promise.resolve(body),
};

/** A file of the dashboard, in memory. */
export class PageFile {
  readonly type: string;
  /** Its name changes with its content. */
  readonly isHashed: boolean;
  readonly #body: Buffer;
  readonly #digest: string;
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();

  constructor(name: string, body: Buffer) {
    this.type =
      TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    this.isHashed = /-[0-9A-Z]{8}\.\w+$/.test(name);
    this.#body = body;
    this.#digest = createHash("sha256").update(body).digest("base64url");
  }

  etag(encoding: Encoding): string {
    return `"${this.#digest.slice(0, 22)}-${encoding}"`;
  }

  /** Compresses at the first request: in the build, a release's bytes would depend on its Node version. */
  encode(encoding: Encoding): Promise<Buffer> {
    const encoded =
      this.#encoded.get(encoding) ?? COMPRESS[encoding](this.#body);
    this.#encoded.set(encoding, encoded);
    return encoded;
  }
}

/** By path, such as `/main-1A2B3C4D.js`; empty when the page was not built. */
export function readPageFiles(directory: URL): ReadonlyMap<string, PageFile> {
  if (!existsSync(directory)) return new Map();
  return new Map(
    readdirSync(directory).map((name) => [
      name === "index.html" ? "/" : `/${name}`,
      new PageFile(name, readFileSync(new URL(name, directory))),
    ]),
  );
}
