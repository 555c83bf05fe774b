import type { AgentHead, Vitals } from './agent.ts';
import { packCoverage, unpackCoverage } from './coverage.ts';

/** Vitals as the database keeps them: every check-in writes them anew, so what is long is packed. */
export type StoredVitals = (Omit<Vitals, 'coverage'> & { readonly coverage?: unknown }) | null;

export const packVitals = (vitals: AgentHead['vitals']): StoredVitals =>
  vitals?.coverage === undefined ? vitals : { ...vitals, coverage: packCoverage(vitals.coverage) };

/** The vitals of {@link packVitals}; throws when their coverage cannot be read. */
export const unpackVitals = (stored: StoredVitals): AgentHead['vitals'] => {
  if (stored === null) return null;
  const { coverage, ...vitals } = stored;
  return coverage === undefined ? vitals : { ...vitals, coverage: unpackCoverage(coverage) };
};
