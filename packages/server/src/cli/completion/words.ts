import type { Command, Option } from 'commander';

/** What may stand behind an option. */
type Value =
  | { readonly kind: 'none' }
  | { readonly kind: 'path' }
  | { readonly kind: 'text' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** An option as a shell completes it. */
export interface OptionWords {
  readonly name: string;
  readonly description: string;
  readonly value: Value;
}

/** A place on the command line: which commands and options may come next. */
export interface Place {
  /** The commands before it, separated by one space; the empty text at the beginning. */
  readonly path: string;
  /** Names that the last of these commands goes by besides. */
  readonly aliases: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
  /** Words that its arguments may be. */
  readonly words: readonly string[];
}

const PATH = /[<[](path|dir|file)[>\]]/;

const valueOf = (option: Option): Value => {
  if (option.argChoices !== undefined) return { kind: 'words', words: option.argChoices };
  if (!option.required && !option.optional) return { kind: 'none' };
  return { kind: PATH.test(option.flags) ? 'path' : 'text' };
};

const placeOf = (command: Command, path: string): Place => {
  const help = command.createHelp();
  return {
    path,
    aliases: command.aliases(),
    commands: help.visibleCommands(command).map((one) => ({ name: one.name(), description: one.description() })),
    options: help.visibleOptions(command).map((option) => ({
      name: option.long ?? option.flags,
      description: option.description,
      value: valueOf(option),
    })),
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
};

/** Every place of a command line, a command before its sub-commands. */
export const placesOf = (program: Command): Place[] => {
  const below = (command: Command, path: string): Place[] => [
    placeOf(command, path),
    ...command.commands.flatMap((one) => below(one, `${path} ${one.name()}`.trim())),
  ];
  return below(program, '');
};

/** Each step from a place to the next by a word: from, word, to. Aliases lead to where the name leads. */
export const stepsOf = (places: readonly Place[]): { from: string; word: string; to: string }[] =>
  places
    .filter(({ path }) => path !== '')
    .flatMap(({ path, aliases }) => {
      const cut = path.lastIndexOf(' ');
      const from = cut === -1 ? '' : path.slice(0, cut);
      return [path.slice(cut + 1), ...aliases].map((word) => ({ from, word, to: path }));
    });
