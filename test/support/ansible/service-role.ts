import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import { createTempDirectory } from "../temp-directory.js";

/** What a release says of itself. */
interface Contents {
  manifest?: Record<string, unknown>;
  env?: Record<string, string>;
  secrets?: string[];
  /** Files of the service, by path. */
  files?: Record<string, string>;
}

interface Step {
  /** The role's entry point or file of tasks. */
  how: string;
  /** Another role. */
  role?: string;
  variables?: Record<string, unknown>;
}

/** The role `service` with real Ansible on this machine, in folders of its own. No unit is started. It needs root. */
export class ServiceRole {
  readonly root = createTempDirectory();
  readonly #artifacts = createTempDirectory();

  constructor() {
    mkdirSync(join(this.root, "releases"));
  }

  /** Packs a release of shop. @returns the path of the tarball */
  pack(
    release: string,
    { manifest = {}, env = {}, secrets = [], files: own = {} }: Contents,
  ): string {
    const name = `shop-${release}`;
    const folder = join(this.#artifacts, name, ".serin");
    mkdirSync(folder, { recursive: true });
    const files = {
      "release.json": { service: "shop", release, ...manifest },
      ...{ env, secrets, health: {} },
    };
    for (const [file, content] of Object.entries(files))
      writeFileSync(join(folder, file), JSON.stringify(content, undefined, 2));
    writeFileSync(join(folder, "run"), "true");
    for (const [file, content] of Object.entries(own)) {
      const path = join(this.#artifacts, name, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    const path = join(this.#artifacts, `${name}.tar.gz`);
    execFileSync("tar", ["-czf", path, "-C", this.#artifacts, name]);
    const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
    writeFileSync(`${path}.sha256`, `${sum}  ${name}.tar.gz\n`);
    return path;
  }

  /** Puts programs before those of the machine, by name. */
  replace(programs: Record<string, string>): void {
    for (const [name, script] of Object.entries(programs))
      writeFileSync(join(this.#artifacts, name), `#!/bin/sh\n${script}\n`, {
        mode: 0o755,
      });
  }

  /** Runs the steps one after the other. @throws the failure */
  run(...steps: Step[]): string {
    const playbook = join(this.#artifacts, "play.yml");
    const tasks = steps.map(({ how, role = "service", variables }) => ({
      include_role: { name: role, tasks_from: how },
      vars: { ...this.#variables(), ...variables },
    }));
    const told = { msg: "chosen: {{ __service_release | default('') }}" };
    const play = {
      ...{ hosts: "localhost", connection: "local" },
      tasks: [...tasks, { debug: told }],
    };
    writeFileSync(playbook, JSON.stringify([{ ...play, gather_facts: false }]));
    try {
      return execFileSync("ansible-playbook", ["-i", "localhost,", playbook], {
        encoding: "utf8",
        env: {
          ...process.env,
          PATH: `${this.#artifacts}${delimiter}${process.env.PATH ?? ""}`,
          ANSIBLE_CONFIG: join(packageRoot(), "ansible/ansible.cfg"),
          ANSIBLE_LOCAL_TEMP: this.#artifacts,
          ANSIBLE_NOCOLOR: "1",
        },
      });
    } catch (err) {
      const { stdout } = err as { stdout: string };
      throw new Error(/^fatal: .*/m.exec(stdout)?.[0] ?? stdout, {
        cause: err,
      });
    }
  }

  get current(): string {
    return basename(readlinkSync(join(this.root, "current")));
  }

  /** The value of a variable in the environment of a release. */
  variable(release: string, name: string): string | undefined {
    const folder = join(this.root, "releases", release);
    const text = readFileSync(join(folder, ".serin/environment"), "utf8");
    return new RegExp(`^${name}="(.*)"$`, "m").exec(text)?.[1];
  }

  manifest(release: string): Record<string, unknown> {
    const path = join(this.root, "releases", release, ".serin/release.json");
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  }

  has(release: string): boolean {
    return existsSync(join(this.root, "releases", release));
  }

  #variables(): Record<string, unknown> {
    return {
      service_name: "shop",
      service_root: this.root,
      service_settings_path: join(this.root, "settings/shop"),
      service_programs: [
        {
          name: "serin-test@",
          user: "serin-test",
          command: "/bin/true",
          settings: {},
        },
      ],
      service_units: [],
      service_starts: false,
      service_environment_key: "a key",
    };
  }
}
