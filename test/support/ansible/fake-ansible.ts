import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { createTempDirectory } from "../temp-directory.js";

/** Notes its playbook and variables, and then runs the script that a test has given for the playbook. */
const PLAYBOOK = `#!/bin/sh
folder=\${0%/*}
for last; do :; done
name=\${last##*/}
echo "\${name%.yml} $*" >>"$folder/calls"
[ ! -f "$folder/\${name%.yml}.sh" ] || . "$folder/\${name%.yml}.sh"
`;
/** Stores what it encrypts as it is. */
const VAULT = "#!/bin/sh\nexec cat\n";

/** Stands in for Ansible, which the tests of deployment run on real hosts. */
export class FakeAnsible {
  readonly #folder = createTempDirectory();
  readonly PATH = `${this.#folder}${delimiter}${process.env.PATH ?? ""}`;

  constructor() {
    this.#write("ansible-playbook", PLAYBOOK);
    this.#write("ansible-vault", VAULT);
  }

  /** Lets a playbook run this script, whose lines on descriptor 3 are progress. */
  script(playbook: string, text: string): void {
    this.#write(`${playbook}.sh`, text);
  }

  /** Such as `deploy canary` and `rollout start`, in order. */
  get calls(): string[] {
    return this.#lines.map((line) => {
      const target = /"(?:target|rollout_verb)":"(\w+)"/.exec(line)?.[1];
      return [line.split(" ")[0], target].filter(Boolean).join(" ");
    });
  }

  /** The arguments of all calls. */
  get all(): string {
    return this.#lines.join("\n");
  }

  /** The arguments of the call at this place. */
  argumentsOf(place: number): string {
    return this.#lines.at(place) ?? "";
  }

  get #lines(): string[] {
    const path = join(this.#folder, "calls");
    return existsSync(path)
      ? readFileSync(path, "utf8").trimEnd().split("\n")
      : [];
  }

  #write(name: string, text: string): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(this.#folder, name), text);
    chmodSync(join(this.#folder, name), 0o755);
  }
}

/** A line of a script that reports a task. */
export function report(task: Record<string, unknown>): string {
  return `printf '%s\\n' '${JSON.stringify({ event: "ok", ...task })}' >&3\n`;
}

/** A line of a script that reports the release a host runs now. */
export function reportOutcome(host: string, from: string, to: string): string {
  const outcome = { changed: from !== to, from, to };
  return report({ host, task: "service : Set the outcome", outcome });
}
