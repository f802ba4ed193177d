import type { Project } from "./project.js";

export interface VariablesFound {
  /** Values that are the same everywhere. */
  clear: Readonly<Record<string, string>>;
  /** The names of the others. */
  secret: readonly string[];
  /** What the sources read besides, which may have a default there. */
  others: readonly string[];
  /** The files that name them. */
  sources: readonly string[];
}

const EXAMPLES = ["example", "sample", "template", "dist"].map(
  (ending) => `.env.${ending}`,
);
const EXAMPLE_LINE =
  /^(?:export\s+)?([A-Z][A-Z0-9_]*)=["']?(.*?)["']?(?:\s+#.*)?$/gm;
/** `process.env.NAME`, `os.environ["NAME"]`, `os.Getenv("NAME")`, `ENV.fetch("NAME")`, Prisma's `env("NAME")`. */
const READ =
  /(?:\bprocess\.env|\benviron|env|ENV|LookupEnv)(?:\.get|\.fetch)?(?:\.|\??\.?[[(]\s*["'`])([A-Z][A-Z0-9_]{1,60})\b/g;
const DESTRUCTURED = /\{([^{}]*)\}\s*=\s*process\.env\b/g;
const SECRET =
  /SECRET|PASS(WORD|WD|PHRASE)?$|TOKEN|CREDENTIAL|PRIVATE|SALT|(^|_)(KEY|DSN|URL|URI)$/;
/** Serin or the system sets them, or only a build for the browser reads them. */
const OTHERS =
  /^(CI|DEBUG|HOME|LANG|PATH|TZ|USER|PORT|HOST|NODE_ENV|PYTHONPATH|KEY_PREFIX|FLAG_NAME|OFREP_ENDPOINT|SERIN_\w+|(NEXT_PUBLIC|VITE|REACT_APP)_\w+)$/;
/** A word or a number, and no address of the developer's machine. */
const PLAIN_VALUE = /^(?!localhost|.*\d\.\d+\.\d)[\w.-]+$/;

interface Variable {
  source: string;
  /** In .env.example. */
  value?: string;
}

/** The variables of the service: secrets that its sources read, and all that its .env.example lists. */
export function findVariables(project: Project): VariablesFound {
  const variables = new Map<string, Variable>();
  const read = new Set<string>();
  for (const { path, text } of project.sources())
    for (const name of namesRead(text)) {
      read.add(name);
      if (SECRET.test(name) && !variables.has(name))
        variables.set(name, { source: path });
    }
  const { path: source = "", text = "" } = project.readFirst(EXAMPLES) ?? {};
  for (const [, name = "", value = ""] of text.matchAll(EXAMPLE_LINE))
    variables.set(name, { source, value });
  const own = [...variables].filter(([name]) => !OTHERS.test(name)).sort();
  const isClear = ([name, { value }]: [string, Variable]) =>
    value !== undefined && PLAIN_VALUE.test(value) && !SECRET.test(name);
  return {
    clear: Object.fromEntries(
      own.filter(isClear).map(([name, { value = "" }]) => [name, value]),
    ),
    secret: own.filter((it) => !isClear(it)).map(([name]) => name),
    others: [...read]
      .filter((name) => !variables.has(name) && !OTHERS.test(name))
      .sort(),
    sources: [...new Set(own.map(([, { source }]) => source))],
  };
}

function namesRead(text: string): string[] {
  const direct = [...text.matchAll(READ)].map(([, name = ""]) => name);
  const destructured = [...text.matchAll(DESTRUCTURED)].flatMap(
    ([, names = ""]) => names.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [],
  );
  return [...direct, ...destructured];
}
