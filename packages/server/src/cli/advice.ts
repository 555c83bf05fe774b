import { ERRORS, type ErrorCode } from '@breakwater/contract';
import { CLIENT_VARIABLES } from './settings.ts';

/** What to do about a refusal, as somebody at the command line would. */
const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  AGENT_ALREADY_ARCHIVED: 'Nothing is left to do.',
  AGENT_ARCHIVED: 'It is over; "breakwater agents show <agent>" says since when and why.',
  AGENT_LOOKS_LIVE: 'Ask it to end, or archive it all the same with --force.',
  AGENT_NOT_FOUND: '"breakwater agents list --status all --search <text>" finds agents.',
  AGENT_NOT_RESUMABLE: '"breakwater agents show <agent>" says what it is now; only a paused agent is resumed.',
  AGENT_PAUSED: '"breakwater agents show <agent>" says why it is paused.',
  DIALECTIC_NOT_FOUND: '"breakwater reviews list" shows the reviews that there are.',
  DISCOVERY_NOT_FOUND: '"breakwater knowledge list" shows the findings that there are.',
  INVALID_PHASE: '"breakwater reviews show <review>" says how far it is.',
  INVALID_STATUS_TRANSITION: '"breakwater agents show <agent>" says what it is now.',
  MISSING_PARAMETER: '--help behind the command shows what it takes.',
  NO_REVIEWER: 'Name one with --reviewer, or try again when more agents are active.',
  OPERATOR_REQUIRED: `The operator of ${CLIENT_VARIABLES.operator} may only look: make one that may act, with "breakwater operator create".`,
  PARAMETER_ERROR: '--help behind the command shows what it takes.',
  REVIEWER_PAUSED: 'Name an active agent with --reviewer, or leave it out: then one is chosen.',
  REVIEWER_UNQUALIFIED: 'Name another reviewer with --reviewer, or leave it out: then one is chosen.',
  SAGA_IN_FLIGHT: 'Try again in a few seconds; "breakwater saga list" shows what is under way.',
  SEARCH_MODE_UNAVAILABLE: '"breakwater knowledge search" searches by words.',
  SELF_REVIEW: 'Name another agent with --reviewer, or leave it out: then one is chosen.',
  SEQUENCE_CONFLICT: 'Try again.',
  SESSION_EXISTS: '"breakwater reviews list" shows the review that is open.',
  SOFT_SAFETY_FAILED: '"breakwater agents show <agent>" has its evidence; --force resumes it all the same.',
  TIMEOUT: 'Look whether it was done before you try again.',
  INTERNAL_ERROR: 'Try again; if it fails again, the log of the server has the incident.',
};

/** A name of a tool, or a call of one: words for programs. */
const FOR_PROGRAMS = /\b[a-z]+(?:_[a-z]+)+\b|\b[a-z]+\([^)]*\)/;

/** Of a wrong value the refusal itself says best what it must be. */
const isOfValue = (code: ErrorCode | undefined, said: string): boolean =>
  (code === 'PARAMETER_ERROR' || code === 'MISSING_PARAMETER') && !FOR_PROGRAMS.test(said);

/**
 * What a person does about a refusal: the command that helps; else what the refusal itself says, unless that names tools;
 * else where help is. `said`: what the refusal says, when it says anything of its own.
 */
export const adviceFor = (code: string | undefined, said: string | undefined): string => {
  const known = code !== undefined && code in ERRORS ? (code as ErrorCode) : undefined;
  const general = known === undefined ? undefined : ERRORS[known].recovery.action;
  // What was refused by a command of this machine often knows a better command than its code does.
  if (said !== undefined && said !== general && (/breakwater |(?<!\w)--[a-z]/.test(said) || isOfValue(known, said)))
    return said;
  const own = known === undefined ? undefined : ADVICE[known];
  if (own !== undefined) return own;
  const plain = [said, general].find((text) => text !== undefined && !FOR_PROGRAMS.test(text));
  return plain ?? '"breakwater doctor" looks at the server; --help behind a command explains it.';
};
