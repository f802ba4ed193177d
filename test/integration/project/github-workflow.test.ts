import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { parse } from "yaml";
import { packageRoot } from "../../../lib/program/release.js";
import { createTempDirectory } from "../../support/temp-directory.js";

interface Step {
  name?: string;
  id?: string;
  uses?: string;
  if?: string;
  run?: string;
  env?: Record<string, string>;
}

const TEMPLATE = readFileSync(
  join(packageRoot(), "jenkins/github-release.yml"),
  "utf8",
)
  .replaceAll("@SERVICE@", "shop")
  .replaceAll("@INSTALL@", "npm ci")
  .replaceAll("@TEST@", "npm test");

/** Runs the steps as GitHub's runner does, with programs that note their arguments and end with the status in `fails`. */
class Runner {
  readonly folder = createTempDirectory();
  /** The names of the steps that ran. */
  readonly ran: string[] = [];
  readonly #steps: Record<
    string,
    { outcome: string; outputs: Record<string, string> }
  > = {};
  #failed = false;

  constructor(fails: Record<string, number>) {
    const bin = join(this.folder, "bin");
    mkdirSync(bin);
    for (const program of ["npm", "npx", "pipx"]) {
      const cases = Object.entries(fails).map(
        ([command, status]) => `"${command}") exit ${status};;`,
      );
      const script = `#!/bin/sh\ncase "${program} $*" in ${cases.join(" ")} esac\n`;
      writeFileSync(join(bin, program), script, { mode: 0o755 });
    }
    const workflow = parse(TEMPLATE) as {
      jobs: { release: { steps: Step[] } };
    };
    for (const step of workflow.jobs.release.steps) this.#run(step);
  }

  #run({ id, name, uses, run, env = {}, ...step }: Step): void {
    const isDue =
      step.if === undefined ? !this.#failed : this.#evaluate(step.if) === true;
    if (!isDue || uses !== undefined) {
      if (id !== undefined)
        this.#steps[id] = { outcome: "skipped", outputs: {} };
      return;
    }
    this.ran.push(name ?? "");
    const output = join(mkdtempSync(join(this.folder, "step-")), "output");
    writeFileSync(output, "");
    const { status } = spawnSync("bash", ["-e", "-c", run ?? ""], {
      env: {
        PATH: [join(this.folder, "bin"), process.env.PATH].join(delimiter),
        HOME: this.folder,
        RUNNER_TEMP: this.folder,
        GITHUB_ENV: join(this.folder, "environment"),
        GITHUB_OUTPUT: output,
        ...env,
      },
    });
    const outcome = status === 0 ? "success" : "failure";
    const pairs = readFileSync(output, "utf8").match(/^.+$/gm) ?? [];
    const outputs = Object.fromEntries(
      pairs.map((pair) => pair.split("=") as [string, string]),
    );
    if (id !== undefined) this.#steps[id] = { outcome, outputs };
    this.#failed ||= outcome === "failure";
  }

  #evaluate(expression: string): unknown {
    return runInNewContext(expression, {
      failure: () => this.#failed,
      cancelled: () => false,
      steps: this.#steps,
    });
  }
}

const run = (fails: Record<string, number> = {}) => new Runner(fails).ran;

describe("the workflow that serin init --github writes", () => {
  it("releases a good commit", () => {
    expect(run()).to.deep.equal([
      "Install",
      "Admit",
      "Test",
      "Keys",
      "Release",
    ]);
  });

  it("rejects a commit whose test or release fails", () => {
    for (const command of ["npm test", "npx serin release"])
      expect(run({ [command]: 1 }), command).to.include("Reject");
  });

  it("rejects nothing for a fault of the runner or the servers, a refusal or too little traffic", () => {
    for (const status of [2, 3, 4, 5])
      expect(run({ "npx serin release": status })).not.to.include("Reject");
    expect(run({ "npm ci": 1 })).to.deep.equal(["Install"]);
    expect(run({ "npx serin admit": 4 })).to.deep.equal(["Install", "Admit"]);
    expect(run({ "pipx install ansible-core": 1 })).not.to.include("Reject");
  });

  it("keeps the keys in files that only the runner can read", () => {
    const { folder } = new Runner({});
    for (const name of ["ssh-key", "vault-password"])
      expect(statSync(join(folder, name)).mode & 0o777, name).to.equal(0o600);
    expect(readFileSync(join(folder, "environment"), "utf8")).to.equal(
      `ANSIBLE_PRIVATE_KEY_FILE=${folder}/ssh-key\nANSIBLE_VAULT_PASSWORD_FILE=${folder}/vault-password\n`,
    );
  });
});
