/** A call that was sent; `answer` only when the whole answer was received. */
interface Sent<Answer> {
  /** Chosen by the client and stored with the row, so that a row can be traced to its call. */
  readonly mark: string;
  answer?: Answer;
}

export interface SentCheckIn extends Sent<{ readonly predictionId: string; readonly update: number }> {
  readonly args: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
}

export interface SentOutcome extends Sent<{ readonly outcomeId: string }> {
  readonly args: Readonly<Record<string, unknown>>;
  readonly predictionId: string;
  readonly idempotencyKey?: string;
}

/** One agent as its client knows it; `mark` is its display name. */
export interface SentAgent extends Sent<{ readonly agentId: string; readonly secret: string }> {
  readonly checkIns: SentCheckIn[];
  readonly outcomes: SentOutcome[];
}

/** Everything that the clients of one round sent, and what of it was acknowledged. */
export interface Journal {
  readonly agents: SentAgent[];
  /** Answers that a client did not expect; a round with one of them proves nothing. */
  readonly refused: string[];
}

export const emptyJournal = (): Journal => ({ agents: [], refused: [] });

/** An agent whose onboarding was acknowledged. */
export interface KnownAgent extends SentAgent {
  readonly answer: NonNullable<SentAgent['answer']>;
}

export const isKnown = (agent: SentAgent): agent is KnownAgent => agent.answer !== undefined;

/** Calls sent and acknowledged, of all kinds. */
export const tally = ({ agents }: Journal): { sent: number; acknowledged: number } => {
  const calls = agents.flatMap((agent) => [agent, ...agent.checkIns, ...agent.outcomes]);
  return { sent: calls.length, acknowledged: calls.filter(({ answer }) => answer !== undefined).length };
};
