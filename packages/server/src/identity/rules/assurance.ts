import type { Assurance, Caller } from '../../runtime/index.ts';

const SCORE: Readonly<Record<Assurance, number>> = { strong: 1, medium: 0.7, weak: 0.35, none: 0 };
const RANK: readonly Assurance[] = ['none', 'weak', 'medium', 'strong'];

/** The lesser of two. */
export const lesser = <A extends Assurance, B extends Assurance>(a: A, b: B): A | B =>
  RANK.indexOf(a) <= RANK.indexOf(b) ? a : b;

/** Whether `a` proves more than `b`. */
export const provesMore = (a: Assurance, b: Assurance): boolean => RANK.indexOf(a) > RANK.indexOf(b);

/** How well the caller is proven, in the words of the wire; the same for reads and writes (BW-identity.12). */
export const assuranceBlock = ({ assurance, source, origin }: Pick<Caller, 'assurance' | 'source' | 'origin'>) => ({
  tier: assurance,
  score: SCORE[assurance],
  session_source: source,
  caller_proven: assurance !== 'none' && origin === 'caller_asserted',
  proof_origin: origin,
  ...(assurance !== 'strong' && { how_to_strengthen: 'Send client_session_id as an argument of every call.' }),
});
