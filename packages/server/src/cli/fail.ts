import type { Result, Refusal } from '@breakwater/contract';
import { NoDatabaseError, StartupError } from '../postgres/index.ts';
import { adviceFor } from './advice.ts';

/** Exit code of a command line that cannot be understood: nothing was done (EX_USAGE of sysexits.h). */
export const USAGE_EXIT = 64;

const exitCodeOf = (error: unknown): number => {
  if (error instanceof UsageError) return USAGE_EXIT;
  if (error instanceof NoServerError || error instanceof NoDatabaseError) return NOT_THERE_EXIT;
  return error instanceof RefusedError ? error.exitCode : 1;
};

/**
 * Says on standard error what is wrong and what to do about it, and sets the exit code: that of the error where it has one,
 * else 1. Never a stack for a known cause.
 */
export const fail = (error: unknown): void => {
  process.exitCode = exitCodeOf(error);
  if (error instanceof StartupError) {
    console.error(`breakwater: ${error.message}\n            ${error.wayOut}`);
  } else if (error instanceof RefusedError) {
    const { code, message, recovery } = error.refusal;
    console.error(`breakwater: ${message}\n            ${adviceFor(code, recovery?.action)}`);
  } else if (error instanceof ConfigError) {
    console.error(error.message.replaceAll(/^/gm, 'breakwater: '));
  } else {
    console.error('breakwater: unexpected failure');
    console.error(error);
  }
};

/** The configuration is wrong; one line for each problem. */
export class ConfigError extends Error {}

/** An argument or option of the command line is wrong; says what it must be (exit code {@link USAGE_EXIT}). */
export class UsageError extends ConfigError {}

/** The reason for an act, which stands in the audit trail; blank is none (exit code {@link USAGE_EXIT}). */
export const reasonOf = (text: string): string => {
  if (text.trim() === '') throw new UsageError('--reason must say why');
  return text.trim();
};

/** Exit code of a command whose server does not answer, or whose database is not where it looked. */
const NOT_THERE_EXIT = 2;

/** No server answers where the command looked for one; with the way out (exit code {@link NOT_THERE_EXIT}). */
export class NoServerError extends StartupError {}

/** What the command was to do is refused. */
class RefusedError extends Error {
  readonly refusal: Refusal;
  readonly exitCode: number;

  constructor(refusal: Refusal, exitCode: number) {
    super(refusal.message);
    this.refusal = refusal;
    this.exitCode = exitCode;
  }
}

/** The value of an outcome; a refusal ends the command. */
export const accepted = <T>(outcome: Result<T>): T => {
  if (!outcome.ok) throw new RefusedError(outcome.refusal, 1);
  return outcome.value;
};

/** The value that an argument or option was read as; a refusal ends the command with {@link USAGE_EXIT}. */
export const understood = <T>(outcome: Result<T>): T => {
  if (!outcome.ok) throw new RefusedError(outcome.refusal, USAGE_EXIT);
  return outcome.value;
};
