const UNSAFE = "__ansible_unsafe";

/** Whether Ansible would evaluate the text, on the machine that runs it. */
export function isTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

/** Variables for Ansible. A text that it would evaluate is marked as data. */
export function toAnsibleJson(variables: unknown, indent?: number): string {
  const mark = (key: string, value: unknown) =>
    key !== UNSAFE && typeof value === "string" && isTemplate(value)
      ? { [UNSAFE]: value }
      : value;
  return JSON.stringify(variables, mark, indent);
}
