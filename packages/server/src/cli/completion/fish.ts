import { stepsOf, type Place } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const optionLine = (at: string, { name, description, value }: Place['options'][number]): string => {
  const words = value.kind === 'words' ? ` -a ${quoted(value.words.join(' '))}` : '';
  const takes = value.kind === 'none' ? '' : value.kind === 'path' ? ' -r -F' : ` -x${words}`;
  return `complete -c breakwater -n ${at} -l ${name.replace(/^--/, '')}${takes} -d ${quoted(description)}`;
};

/** A completion script for fish, with what each word means. */
export const fishScript = (places: readonly Place[]): string =>
  [
    '# Completion of breakwater for fish. To use it:  breakwater completion fish | source',
    'function __breakwater_at',
    "    set -l at ''",
    '    for word in (commandline -opc)[2..-1]',
    '        switch "$at>$word"',
    ...stepsOf(places).flatMap(({ from, word, to }) => [
      `            case ${quoted(`${from}>${word}`)}`,
      `                set at ${quoted(to)}`,
    ]),
    '        end',
    '    end',
    '    test "$at" = "$argv[1]"',
    'end',
    'complete -c breakwater -f',
    ...places.flatMap(({ path, commands, options, words }) => {
      const at = quoted(`__breakwater_at "${path}"`);
      return [
        ...commands.map(
          ({ name, description }) => `complete -c breakwater -n ${at} -a ${name} -d ${quoted(description)}`,
        ),
        ...words.map((word) => `complete -c breakwater -n ${at} -a ${word}`),
        ...options.map((option) => optionLine(at, option)),
      ];
    }),
    '',
  ].join('\n');
