import {
  SettingsError,
  type Environment,
} from "../../lib/settings/settings.js";

/** @returns a function that gives what `read` refuses in an environment; empty if it refuses nothing */
export function problemsIn(
  read: (env: Environment) => unknown,
): (env: Environment) => readonly string[] {
  return (env) => {
    try {
      read(env);
    } catch (err) {
      if (err instanceof SettingsError) return err.problems;
      throw err;
    }
    return [];
  };
}
