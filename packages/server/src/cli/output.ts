import { StartupError } from '../postgres/index.ts';

/** What a command printed did not arrive, on a full disk for instance; its exit code must not say that it did. */
export class OutputError extends StartupError {
  constructor(cause: unknown) {
    super(
      `Standard output could not be written (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`,
      'What was printed is incomplete. Free space where it goes, and run the command again; what it did is done.',
      { cause },
    );
    this.name = 'OutputError';
  }
}

let hasFailed = false;

const failed = (error: unknown): void => {
  // Whoever read it has had enough, as `head` has.
  if (hasFailed || (error as NodeJS.ErrnoException).code === 'EPIPE') return;
  hasFailed = true;
  const { message, wayOut } = new OutputError(error);
  console.error(`breakwater: ${message}\n            ${wayOut}`);
  // At the end, since the command sets its own exit code after it has printed.
  process.on('exit', () => (process.exitCode = 1));
};

let isHeard = false;

/** Writes a text to standard output as it is: the one place that does. A failure is told, and ends the command with 1. */
export const write = (text: string): void => {
  if (!isHeard) {
    isHeard = true;
    process.stdout.on('error', failed);
  }
  try {
    process.stdout.write(text);
  } catch (error) {
    // A file is written at once, and fails at once.
    failed(error);
  }
};

/** Prints a line, or several, for the reader of a command. `console.log` would swallow that they did not arrive. */
export const say = (text = ''): void => write(`${text}\n`);
