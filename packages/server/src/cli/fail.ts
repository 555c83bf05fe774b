import { ERRORS, type Outcome, type Refusal } from '@breakwater/contract';
import { StartupError } from '../postgres/index.ts';
import { ListenError } from '../serve/index.ts';

/** Says on standard error what is wrong and what to do about it, and sets exit code 1. Never a stack for a known cause. */
export const fail = (error: unknown): void => {
  process.exitCode = 1;
  if (error instanceof StartupError) {
    console.error(`breakwater: ${error.message}\n            ${error.wayOut}`);
  } else if (error instanceof ListenError) {
    console.error(`breakwater: ${error.refusal.message}\n            ${error.refusal.recovery?.action ?? ''}`);
  } else if (error instanceof RefusedError) {
    const { code, message, recovery } = error.refusal;
    console.error(`breakwater: ${message}\n            ${(recovery ?? ERRORS[code].recovery).action}`);
  } else if (error instanceof ConfigError) {
    console.error(error.message.replaceAll(/^/gm, 'breakwater: '));
  } else {
    console.error('breakwater: unexpected failure');
    console.error(error);
  }
};

/** The configuration is wrong; one line for each problem. */
export class ConfigError extends Error {}

/** What the command was to do is refused. */
class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** The value of an outcome; a refusal ends the command. */
export const accepted = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new RefusedError(outcome.refusal);
  return outcome.value;
};
