import { found, type Found } from "./findings.js";
import type { Survey } from "./survey.js";

/** What the survey found, each with its source. */
export function listFacts(survey: Survey): [name: string, text: string][] {
  const { clear, secret, sources } = survey.variables;
  const variables = [...Object.keys(clear), ...secret];
  const all: [name: string, fact: Found | undefined][] = [
    ["service", survey.service],
    ["run", survey.run],
    ["build", survey.build],
    ["health", survey.health],
    ["env", found(variables.join(", "), sources.join(", "))],
    ["hooks.before", survey.before],
  ];
  return all.flatMap(([name, fact]) =>
    fact === undefined ? [] : [[name, `${fact.value} (${fact.source})`]],
  );
}

/** What a person has to do before the service can be released. */
export function listTasks({ run, variables, remarks }: Survey): string[] {
  const secrets = variables.secret.join(", ");
  return [
    ...(run === undefined
      ? ["run: nothing here says how the service starts; give the command"]
      : []),
    ...remarks,
    ...(Object.keys(variables.clear).length > 0
      ? ["env.clear: it has the values of the example; check them for prod"]
      : []),
    ...(secrets === ""
      ? []
      : [
          `values of ${secrets}: export them for \`serin dev\`; \`serin setup\` puts them into the vault`,
        ]),
    ...(variables.others.length === 0
      ? []
      : [
          `env: the sources read ${variables.others.join(", ")} too; add those that have no default`,
        ]),
    "servers: the addresses of your hosts; `serin dev` needs none",
    "alerts: who gets a mail when a canary is stopped",
  ];
}
