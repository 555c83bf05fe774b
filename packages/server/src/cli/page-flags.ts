import type { Command } from 'commander';
import { UsageError } from './fail.ts';

/** Which rows of a list are asked for. */
export interface PageFlags {
  readonly limit: string;
  readonly offset: string;
}

/** Adds `--limit` and `--offset`. */
export const withPageFlags = (command: Command, most: number): Command =>
  command
    .option('--limit <number>', `Rows at most, 1 to ${most}`, '50')
    .option('--offset <number>', 'Rows to leave out at the beginning', '0');

/** A whole number that an option gives. Throws a {@link UsageError} that names the option and what it may be. */
export const numberOf = (option: string, text: string, from: number, to: number): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  throw new UsageError(`--${option} must be a whole number from ${from} to ${to}; given "${text}"`);
};

/** What stands below a list of which there is more, or undefined when that was all. */
export const moreText = (shown: number, offset: number, matching: number): string | undefined =>
  offset + shown < matching
    ? `\n${offset + 1} to ${offset + shown} of ${matching}; for more:  --offset ${offset + shown}`
    : undefined;
