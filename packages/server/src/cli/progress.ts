import { tame, terminalOf } from './terminal.ts';

/** A line on standard error that says what a long command does, and is gone when it has ended. */
interface StatusLine {
  /** Shows a text instead of the last one. */
  say(text: string): void;
  clear(): void;
}

const CLEAR = '\r\u001B[2K';

/** A status line, where standard error is a terminal; elsewhere it says nothing. */
export const statusLine = (): StatusLine => {
  const { columns } = terminalOf(process.stderr);
  if (columns === undefined) return { say: () => undefined, clear: () => undefined };
  return {
    say: (text) => void process.stderr.write(`${CLEAR}${tame(text).slice(0, Math.max(1, columns - 1))}`),
    clear: () => void process.stderr.write(CLEAR),
  };
};
