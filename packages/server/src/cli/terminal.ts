/** What a stream can show. */
export interface Terminal {
  /** Columns of the terminal; undefined when it is a file or a pipe, where nothing is cut. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** What the command line can show on a stream: colour only on a terminal, and never with NO_COLOR (no-color.org). */
export const terminalOf = (
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Terminal => {
  const isTerminal = stream.isTTY === true;
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return { columns: isTerminal ? stream.columns : undefined, colour: isTerminal && !plain };
};

const CODES = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 } as const;

/** Text in a colour, or as it is where none is shown. */
export const paint = (text: string, colour: keyof typeof CODES, { colour: shown }: Pick<Terminal, 'colour'>): string =>
  shown ? `\u001B[${CODES[colour]}m${text}\u001B[0m` : text;

/** Text without control characters: what agents and operators wrote must not steer the terminal. */
export const tame = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ');
