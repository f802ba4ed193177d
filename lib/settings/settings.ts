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

interface NumberRange {
  min: number;
  max: number;
}

/**
 * Reads typed values from an environment and collects all problems. An unset or empty variable takes its default; without a
 * default it is a problem. For a bad value, readers return a placeholder: use the result only after `finish()` has returned.
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
    return this.#raw(name) !== undefined;
  }

  /** Adds a problem that concerns several variables. */
  reject(problem: string): void {
    this.#problems.push(problem);
  }

  text(name: string, fallback?: string): string {
    return this.parsed(name, "a non-empty text", (value) => value, fallback);
  }

  integer(name: string, range: NumberRange, fallback?: number): number {
    const right = `a whole number from ${range.min} to ${range.max}`;
    const parse = (value: string) =>
      /^\d{1,15}$/.test(value) ? within(Number(value), range) : undefined;
    return this.parsed(name, right, parse, fallback);
  }

  decimal(name: string, range: NumberRange, fallback?: number): number {
    const right = `a number from ${range.min} to ${range.max}`;
    const parse = (value: string) =>
      /^\d+(\.\d+)?$/.test(value) ? within(Number(value), range) : undefined;
    return this.parsed(name, right, parse, fallback);
  }

  choice<const T extends string>(
    name: string,
    choices: readonly T[],
    fallback?: T,
  ): T {
    const parse = (value: string) => choices.find((choice) => choice === value);
    return this.parsed(name, `one of ${choices.join(", ")}`, parse, fallback);
  }

  /** A comma-separated list, whose parts `parse` reads. */
  list<T>(
    name: string,
    right: string,
    parse: (part: string) => T | undefined,
    fallback?: T[],
  ): T[] {
    const parseAll = (value: string) => {
      const parts = value.split(",").map((part) => part.trim());
      const parsed = parts.map((part) =>
        part === "" ? undefined : parse(part),
      );
      return parsed.every((part) => part !== undefined) ? parsed : undefined;
    };
    return this.parsed(name, right, parseAll, fallback);
  }

  parsed<T>(
    name: string,
    right: string,
    parse: (value: string) => T | undefined,
    fallback?: T,
  ): T {
    return this.#read({ name, right, parse, fallback, secret: false });
  }

  /** Like `parsed`, for a value that may contain a password: no message repeats it. */
  secret<T>(
    name: string,
    right: string,
    parse: (value: string) => T | undefined,
    fallback?: T,
  ): T {
    return this.#read({ name, right, parse, fallback, secret: true });
  }

  #raw(name: string): string | undefined {
    const value = this.#env[name];
    return value === undefined || value === "" ? undefined : value;
  }

  #read<T>(variable: {
    name: string;
    right: string;
    parse: (value: string) => T | undefined;
    fallback: T | undefined;
    secret: boolean;
  }): T {
    const { name, right, parse, fallback, secret } = variable;
    const raw = this.#raw(name);
    if (raw === undefined) {
      if (fallback === undefined)
        this.reject(`${name} is not set: give ${right}`);
      return fallback as T;
    }
    const value = parse(raw);
    if (value === undefined)
      this.reject(
        `${name} is ${secret ? "malformed (value not shown)" : JSON.stringify(raw)}: give ${right}`,
      );
    return value as T;
  }
}

function within(value: number, range: NumberRange): number | undefined {
  return value >= range.min && value <= range.max ? value : undefined;
}
