import express, { Router, type Request, type RequestHandler } from "express";
import { Rejection } from "./errors.js";

const MAX_VALUE_BYTES = 64 * 1024;

/** Stores values unchanged for a limited time. Both methods throw StoreUnavailable. */
export interface Store {
  write: (key: string, value: Buffer) => Promise<void>;
  /** @returns null if the key does not exist or has expired */
  read: (key: string) => Promise<Buffer | null>;
}

/** The feature being released: `/set/:key` and `/get/:key`, behind the gate. */
export function createFeature(store: Store, gate: RequestHandler): Router {
  const feature = Router();
  const readBody = express.raw({ type: () => true, limit: MAX_VALUE_BYTES });

  feature.post("/set/:key", gate, readBody, async (request, response) => {
    const key = parseKey(request.params.key);
    const value = valueOf(request);
    await store.write(key, value);
    response.json({ key, bytes: value.length });
  });

  feature.get("/get/:key", gate, async (request, response) => {
    const key = parseKey(request.params.key);
    const value = await store.read(key);
    if (value === null) throw new Rejection(404, `no value for key ${key}`);
    // The value comes from a client: browsers must not interpret it as a page.
    response.set("x-content-type-options", "nosniff");
    response.type("text/plain; charset=utf-8").send(value);
  });

  return feature;
}

function parseKey(text: unknown): string {
  if (typeof text === "string" && /^[\w.-]{1,128}$/.test(text)) return text;
  throw new Rejection(400, "key must be 1 to 128 of A-Z a-z 0-9 . _ -");
}

/** A request without a body sets the empty value. */
function valueOf(request: Request<object>): Buffer {
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
