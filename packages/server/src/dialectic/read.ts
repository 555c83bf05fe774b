import type { Database } from '../postgres/index.ts';
import { finalise } from './rules/finalise.ts';
import { explainAgreed, explainMerge, type ExplainedMerge } from './rules/merge.ts';
import { similarity } from './rules/similarity.ts';
import { offersOf } from './rules/verdict.ts';
import type { Message, Session } from './session.ts';
import { selectSession, sessionFromRow } from './sql.ts';

/** A review with its whole record, as PostgreSQL has it; undefined when there is none of this id. */
export const readSession = async (database: Database, sessionId: string): Promise<Session | undefined> => {
  const [row] = await database.query<Parameters<typeof sessionFromRow>[0]>(selectSession(sessionId));
  return row && sessionFromRow(row);
};

/** The conditions that a resolved session ended with; undefined when it has not, or left no agreement in its record. */
const explainEnd = (session: Session, a: Message, b: Message): ExplainedMerge | undefined => {
  const agreed = offersOf(session).filter(({ agrees }) => agrees === true);
  if (session.phase !== 'resolved' || agreed.length === 0) return undefined;
  const end = finalise(session);
  if (!end.ok) return undefined;
  if ('merge' in end.value) return explainMerge(end.value.merge.a.conditions, end.value.merge.b.conditions);
  // One side agreed to what stands there: nothing was merged, whatever the other had proposed last.
  const { conditions } = end.value;
  const author = agreed.findLast((offer) => offer.conditions === conditions)?.agentId;
  return author === session.pausedAgentId
    ? explainAgreed(conditions, 'a', b.conditions)
    : explainAgreed(conditions, 'b', a.conditions);
};

/**
 * How the newest proposals of the paused agent (a) and of the others (b) come together (spec dialectic C.4), or once the
 * session is resolved, how they came together; and how alike are the causes that they see, from 0 to 1. Undefined until both
 * have proposed something.
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
    ...(explainEnd(session, a, b) ?? explainMerge(a.conditions, b.conditions)),
    rootCauseSimilarity: causeA === null || causeB === null ? null : similarity(causeA, causeB),
  };
};
