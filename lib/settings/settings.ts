import type * as z from "zod";

/** All bad variables of a program's environment in one error. A malformed value never becomes the default. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `bad settings:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
    this.name = "SettingsError";
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The one definition of a variable: programs read by it, and .env.example, docs/settings.md and the JSON Schema come from it. */
export interface Setting<T = unknown> {
  name: string;
  /** Reads the variable's text. Its description completes "give …". */
  takes: z.ZodType<T>;
  /** In the form of the variable. */
  default?: string | number;
  isRequired?: true;
  meaning: string;
}

/** Without a default, an unset variable is undefined. */
export function setting<T, Default extends string | number | undefined>(
  name: string,
  takes: z.ZodType<T>,
  rest: { default?: Default; meaning: string },
) {
  return { name, takes, ...rest } as Setting<
    undefined extends Default ? T | undefined : T
  >;
}

export function required<T>(one: Setting<T | undefined>): Setting<T> {
  return { ...one, isRequired: true } as Setting<T>;
}

export function withDefault<T>(
  one: Setting<T | undefined>,
  value: string | number,
): Setting<T> {
  return { ...one, default: value } as Setting<T>;
}

/** Settings in the shape of a program's configuration. */
export interface SettingsTree {
  readonly [field: string]: Setting | SettingsTree;
}

export type ValuesOf<Tree> = {
  -readonly [Field in keyof Tree]: Tree[Field] extends Setting<infer T>
    ? T
    : ValuesOf<Tree[Field]>;
};

/** The settings of a tree, in its order. */
export function listSettings(tree: SettingsTree): Setting[] {
  return Object.values(tree).flatMap((node) =>
    isSetting(node) ? [node] : listSettings(node),
  );
}

/** @throws SettingsError */
export function readSettings<Tree extends SettingsTree>(
  env: Environment,
  tree: Tree,
): ValuesOf<Tree> {
  const settings = new SettingsReader(env);
  const values = settings.read(tree);
  settings.finish();
  return values;
}

/**
 * Reads settings from an environment and collects all problems. An empty variable counts as unset. A bad value is read as
 * undefined: use the result only after `finish()` has returned.
 */
export class SettingsReader {
  readonly #env: Environment;
  readonly #problems: string[] = [];

  constructor(env: Environment) {
    this.#env = env;
  }

  /** @throws SettingsError that names every bad variable, its value and what is valid */
  finish(): void {
    if (this.#problems.length > 0) throw new SettingsError(this.#problems);
  }

  isSet(name: string): boolean {
    return this.#textOf(name) !== undefined;
  }

  /** Adds a problem that concerns several variables. */
  reject(problem: string): void {
    this.#problems.push(problem);
  }

  read<Tree extends SettingsTree>(tree: Tree): ValuesOf<Tree> {
    const entries = Object.entries(tree).map(([field, node]) => [
      field,
      isSetting(node) ? this.#readOne(node) : this.read(node),
    ]);
    return Object.fromEntries(entries) as ValuesOf<Tree>;
  }

  #textOf(name: string): string | undefined {
    const text = this.#env[name];
    return text === "" ? undefined : text;
  }

  #readOne(one: Setting): unknown {
    const { name, takes } = one;
    const right = takes.description;
    const text = this.#textOf(name) ?? one.default?.toString();
    if (text === undefined) {
      if (one.isRequired) this.reject(`${name} is not set: give ${right}`);
      return undefined;
    }
    const { success, data } = takes.safeParse(text);
    if (!success) {
      const shown = takes.meta()?.writeOnly
        ? "malformed (value not shown)"
        : JSON.stringify(maskUserInfo(text));
      this.reject(`${name} is ${shown}: give ${right}`);
    }
    return data;
  }
}

function isSetting(node: Setting | SettingsTree): node is Setting {
  return "takes" in node;
}

/** A URL may hold a password where none belongs. */
function maskUserInfo(text: string): string {
  return text.replace(/:(\/\/)?.*@/s, ":$1***@");
}
