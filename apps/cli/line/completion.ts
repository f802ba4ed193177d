export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command with the words that may follow it. */
export interface CommandTree {
  name: string;
  about: string;
  /** The values of its argument. */
  words: readonly string[];
  options: readonly {
    flags: readonly string[];
    about: string;
    /** The values of the option; empty if it takes any value or none. */
    choices: readonly string[];
  }[];
  commands: readonly CommandTree[];
}

/** A completion script for `serin` with the commands in `tree`. */
export function renderCompletion(shell: Shell, tree: CommandTree): string {
  const render = { bash: renderBash, zsh: renderZsh, fish: renderFish }[shell];
  return render(flatten(tree));
}

interface Place {
  /** Such as `flag get`; empty for serin itself. */
  path: string;
  tree: CommandTree;
}

function flatten(tree: CommandTree, path = ""): Place[] {
  return [
    { path, tree },
    ...tree.commands.flatMap((command) =>
      flatten(command, `${path} ${command.name}`.trim()),
    ),
  ];
}

/** Shell patterns for the values of each option, and for the words at each place. */
function renderCases(places: readonly Place[], set: string): string {
  const values = places.flatMap(({ path, tree }) =>
    tree.options
      .filter(({ choices }) => choices.length > 0)
      .map(
        ({ flags, choices }) =>
          `${flags.map((flag) => `'${path} ${flag}'`).join("|")}) ${set}'${choices.join(" ")}' ;;`,
      ),
  );
  const words = places.map(({ path, tree }) => {
    const all = [
      ...tree.commands.map(({ name }) => name),
      ...tree.words,
      ...tree.options.flatMap(({ flags }) => flags),
    ];
    return `'${path}') ${set}'${all.join(" ")}' ;;`;
  });
  return `  case "$place $previous" in
    ${values.join("\n    ")}
    *) case "$place" in
      ${words.join("\n      ")}
    esac ;;
  esac`;
}

function renderPlaces(places: readonly Place[]): string {
  return places
    .filter(({ path }) => path !== "")
    .map(({ path }) => `'${path}'`)
    .join("|");
}

function renderBash(places: readonly Place[]): string {
  return `# serin completion bash
_serin() {
  local place= word next words= previous=\${COMP_WORDS[COMP_CWORD-1]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${place:+$place }$word"
    case "$next" in ${renderPlaces(places)}) place=$next ;; esac
  done
${renderCases(places, "words=")}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _serin serin
`;
}

function renderZsh(places: readonly Place[]): string {
  return `#compdef serin
# serin completion zsh
_serin() {
  local place= word next offered= previous=\${words[CURRENT-1]}
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${place:+$place }$word"
    case "$next" in (${renderPlaces(places)}) place=$next ;; esac
  done
${renderCases(places, "offered=")}
  compadd -- \${=offered}
}
if [ "$funcstack[1]" = _serin ]; then _serin "$@"; else compdef _serin serin; fi
`;
}

function renderFish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, tree }) => {
    const when = path === "" ? "__fish_use_subcommand" : renderFishPlace(path);
    const offer = `complete -c serin -f -n '${when}'`;
    return [
      ...tree.commands.map(
        ({ name, about }) => `${offer} -a ${name} -d ${quoteFish(about)}`,
      ),
      ...tree.words.map((word) => `${offer} -a ${word}`),
      ...tree.options.map(({ flags, about, choices }) => {
        const names = flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        const taken = choices.length > 0 ? ` -xa '${choices.join(" ")}'` : "";
        return `${offer} ${names.join(" ")}${taken} -d ${quoteFish(about)}`;
      }),
    ];
  });
  return `# serin completion fish\n${lines.join("\n")}\n`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}

function renderFishPlace(path: string): string {
  return path
    .split(" ")
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join("; and ");
}
