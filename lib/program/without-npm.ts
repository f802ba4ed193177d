import type { Environment } from "../settings/settings.js";

/** What npm sets for the scripts of a package. */
const OF_NPM =
  /^(npm_(package|lifecycle|config_local_prefix|command|execpath|node_execpath)|INIT_CWD$)/;

/** An environment for the build of a service, which is not a script of the package that started Serin. */
export function withoutNpm(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !OF_NPM.test(name)),
  );
}
