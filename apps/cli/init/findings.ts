/** A value and what in the repository says it. */
export interface Found {
  value: string;
  source: string;
}

/** What one file of the repository says of the service. */
export interface Findings {
  name?: Found | undefined;
  run?: Found | undefined;
  build?: Found | undefined;
  health?: Found | undefined;
  /** A command that runs once, before a release starts. */
  before?: Found | undefined;
  clear?: Readonly<Record<string, string>>;
  /** For a pipeline: what installs the packages, and what tests. */
  install?: Found | undefined;
  test?: Found | undefined;
  /** What a person should know or do, in sentences. */
  remarks?: readonly string[];
}

/** On one line; undefined if there is nothing. */
export function found(
  value: string | undefined,
  source: string,
): Found | undefined {
  const line = value?.replace(/\s+/g, " ").trim() ?? "";
  return line === "" ? undefined : { value: line, source };
}
