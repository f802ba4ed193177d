/** The result of a check. A `note` requires no action. */
export interface Finding {
  check: string;
  level: "ok" | "note" | "problem" | "unreachable" | "refused";
  says: string;
  /** The suggested remedy. */
  todo?: string;
}

export function ok(check: string, says: string): Finding {
  return { check, level: "ok", says };
}

export function note(check: string, says: string, todo?: string): Finding {
  return {
    check,
    level: "note",
    says,
    ...(todo === undefined ? {} : { todo }),
  };
}

export function problem(check: string, says: string, todo: string): Finding {
  return { check, level: "problem", says, todo };
}
