import { stepsOf, type Place } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What completes the value of an option; nothing for a text of one's own. */
const valueCase = (path: string, option: Place['options'][number]): string[] => {
  const { name, value } = option;
  if (value.kind === 'none') return [];
  const key = quoted(`${path}:${name}`);
  if (value.kind === 'path') return [`    ${key}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`];
  if (value.kind === 'text') return [`    ${key}) return ;;`];
  return [`    ${key}) COMPREPLY=($(compgen -W ${quoted(value.words.join(' '))} -- "$cur")); return ;;`];
};

/** A completion script for bash; works with the bash 3.2 of macOS, too. */
export const bashScript = (places: readonly Place[]): string =>
  [
    '# Completion of breakwater for bash. To use it:  source <(breakwater completion bash)',
    '_breakwater() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at="" words="" options="" i',
    '  COMPREPLY=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "$at>${COMP_WORDS[i]}" in',
    ...stepsOf(places).map(({ from, word, to }) => `      ${quoted(`${from}>${word}`)}) at=${quoted(to)} ;;`),
    '    esac',
    '  done',
    '  case "$at:$prev" in',
    ...places.flatMap(({ path, options }) => options.flatMap((option) => valueCase(path, option))),
    '  esac',
    '  case "$at" in',
    ...places.map(({ path, commands, options, words }) => {
      const next = quoted([...commands.map(({ name }) => name), ...words].join(' '));
      return `    ${quoted(path)}) words=${next} options=${quoted(options.map(({ name }) => name).join(' '))} ;;`;
    }),
    '  esac',
    '  if [[ $cur == -* ]]; then words=$options; fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '}',
    'complete -F _breakwater breakwater',
    '',
  ].join('\n');
