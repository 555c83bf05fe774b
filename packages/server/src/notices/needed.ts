import { refuse } from '@breakwater/contract';

/** The refusal of an argument that is missing or does not do. */
export const needed = (parameter: string, why: string) =>
  refuse('PARAMETER_ERROR', `${parameter}: ${why}`, { details: { parameter } });
