import { expect } from "chai";
import { toAnsibleJson } from "../../../apps/cli/release/ansible-json.js";

describe("toAnsibleJson", () => {
  it("marks what Ansible would evaluate as data, however deep, and nothing else", () => {
    const json = toAnsibleJson({
      a: ["{{ x }}", "{% if %}"],
      b: { c: "{# #}" },
      d: "{ x }",
      e: 1,
    });
    expect(JSON.parse(json)).to.deep.equal({
      a: [{ __ansible_unsafe: "{{ x }}" }, { __ansible_unsafe: "{% if %}" }],
      b: { c: { __ansible_unsafe: "{# #}" } },
      ...{ d: "{ x }", e: 1 },
    });
  });
});
