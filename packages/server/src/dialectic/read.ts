import type { Database } from '../postgres/index.ts';
import { explainMerge, type ExplainedMerge } from './rules/merge.ts';
import { similarity } from './rules/similarity.ts';
import type { Message, Session } from './session.ts';
import { selectSession, sessionFromRow } from './sql.ts';

/** A review with its whole record, as PostgreSQL has it; undefined when there is none of this id. */
export const readSession = async (database: Database, sessionId: string): Promise<Session | undefined> => {
  const [row] = await database.query<Parameters<typeof sessionFromRow>[0]>(selectSession(sessionId));
  return row && sessionFromRow(row);
};

/**
 * How the newest proposals of the paused agent (a) and of the others (b) come together (spec dialectic C.4), and how alike
 * are the causes that they see, from 0 to 1. Undefined until both have proposed something.
 */
export const explainReviewMerge = (
  session: Session,
): (ExplainedMerge & { readonly rootCauseSimilarity: number | null }) | undefined => {
  const proposals = session.messages.filter(({ conditions, refused }) => conditions.length > 0 && !refused);
  const isOwn = ({ agentId }: Message): boolean => agentId === session.pausedAgentId;
  const a = proposals.findLast(isOwn);
  const b = proposals.findLast((message) => !isOwn(message));
  if (a === undefined || b === undefined) return undefined;
  const cause = (own: boolean) =>
    session.messages.findLast((message) => isOwn(message) === own && message.rootCause)?.rootCause ?? null;
  const [causeA, causeB] = [cause(true), cause(false)];
  return {
    ...explainMerge(a.conditions, b.conditions),
    rootCauseSimilarity: causeA === null || causeB === null ? null : similarity(causeA, causeB),
  };
};
