import { expect } from "chai";
import { OPERATIONS } from "../../../apps/monitor/api/openapi.js";

/** Fails for an answer that the OpenAPI document does not describe, and for a field that it does not have. */
export function expectDocumented(path: string, answer: unknown): void {
  const documented = OPERATIONS.find((operation) => operation.path === path);
  if (documented === undefined || typeof documented.answer === "string")
    throw new Error(`${path} has no documented JSON`);
  const { data, error } = documented.answer.safeParse(answer);
  expect(error?.issues ?? [], path).to.deep.equal([]);
  expect(data, path).to.deep.equal(answer);
}
