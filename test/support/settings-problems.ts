import { ServiceFileError } from "../../lib/service-file.js";
import {
  SettingsError,
  type Environment,
} from "../../lib/settings/settings.js";

/** @returns a function that gives what `read` refuses in an input; empty if it refuses nothing */
export function problemsIn<Input = Environment>(
  read: (input: Input) => unknown,
): (input: Input) => readonly string[] {
  return (input) => {
    try {
      read(input);
    } catch (err) {
      if (err instanceof SettingsError || err instanceof ServiceFileError)
        return err.problems;
      throw err;
    }
    return [];
  };
}
