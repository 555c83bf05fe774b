import { stepsOf, type Place } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** A word and what it means, as `_describe` reads them. */
const described = (word: string, description: string): string =>
  quoted(`${word.replaceAll(':', '\\:')}:${description.replaceAll(':', '\\:')}`);

const valueCase = (path: string, { name, value }: Place['options'][number]): string[] => {
  if (value.kind === 'none') return [];
  const key = quoted(`${path}:${name}`);
  if (value.kind === 'path') return [`    ${key}) _files; return ;;`];
  if (value.kind === 'text') return [`    ${key}) _message value; return ;;`];
  return [`    ${key}) compadd -- ${value.words.map(quoted).join(' ')}; return ;;`];
};

/** A completion script for zsh, with what each word means. */
export const zshScript = (places: readonly Place[]): string =>
  [
    '#compdef breakwater',
    '# Completion of breakwater for zsh. To use it:  source <(breakwater completion zsh)',
    '_breakwater() {',
    "  local at='' i",
    '  local -a next options',
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    case "$at>${words[i]}" in',
    ...stepsOf(places).map(({ from, word, to }) => `      ${quoted(`${from}>${word}`)}) at=${quoted(to)} ;;`),
    '    esac',
    '  done',
    '  case "$at:${words[CURRENT-1]}" in',
    ...places.flatMap(({ path, options }) => options.flatMap((option) => valueCase(path, option))),
    '  esac',
    '  case "$at" in',
    ...places.flatMap(({ path, commands, options, words }) => [
      `    ${quoted(path)})`,
      `      next=(${[...commands.map(({ name, description }) => described(name, description)), ...words.map(quoted)].join(' ')})`,
      `      options=(${options.map(({ name, description }) => described(name, description)).join(' ')}) ;;`,
    ]),
    '  esac',
    '  if [[ $PREFIX == -* ]]; then _describe -o option options; else _describe command next; fi',
    '}',
    'if [[ "${funcstack[1]}" == _breakwater ]]; then _breakwater "$@"; else compdef _breakwater breakwater; fi',
    '',
  ].join('\n');
