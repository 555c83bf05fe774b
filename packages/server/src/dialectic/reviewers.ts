import type { AgentHead, Agents } from '../agents/index.ts';
import type { Queryable } from '../postgres/index.ts';
import type { Clock, Random } from '../runtime/index.ts';
import {
  originOf,
  REVIEWER_NEEDS,
  shortfallsAtSight,
  shortfallsOf,
  type Reviewed,
  type ReviewerRecord,
  type Shortfall,
} from './rules/qualification.ts';
import { isAtWork, selectReviewer, type Candidate } from './rules/selection.ts';
import { selectReviewerFacts, type ReviewerFactsRow } from './sql.ts';

const DAY_MS = 86_400_000;

/** An agent as a candidate. One that never checked in has shown nothing that could be weighed, and is no reviewer. */
const candidateOf = (head: AgentHead): Candidate | undefined =>
  head.lastActivityAt === null || head.updateCount === 0
    ? undefined
    : {
        agentId: head.agentId,
        label: head.label,
        status: head.status,
        tags: head.tags,
        lastUpdateAt: head.lastActivityAt,
        risk: head.vitals?.risk ?? null,
        reviews: 0,
        successfulReviews: 0,
      };

/** What one who wants to review brings. */
export interface Fitness {
  readonly shortfalls: readonly Shortfall[];
  readonly busy: boolean;
  readonly met: boolean;
}

/** Finds reviewers, and says of one that is named what speaks against it. What memory lacks comes in one statement. */
export class Reviewers<M> {
  readonly #options: { readonly agents: Agents<M>; readonly clock: Clock; readonly random: Random };

  constructor(options: { readonly agents: Agents<M>; readonly clock: Clock; readonly random: Random }) {
    this.#options = options;
  }

  /** A reviewer that qualifies and is free, or null. `source` reads for whoever asks, inside its transaction if it has one. */
  async choose(
    source: Queryable,
    paused: AgentHead,
    excluded: ReadonlySet<string>,
    askedAt: number,
  ): Promise<string | null> {
    const { agents, clock, random } = this.#options;
    const now = clock.now();
    const reviewed = this.#reviewed(paused, askedAt);
    const search = { pausedAgentId: paused.agentId, excluded, residents: new Set<string>(), now };
    const free = new Map<string, { readonly head: AgentHead; readonly candidate: Candidate }>();
    for (const [agentId, head] of agents.table.entries()) {
      const candidate = candidateOf(head);
      if (candidate === undefined || !isAtWork(candidate, search)) continue;
      if (shortfallsAtSight(this.#atSight(head), reviewed).length === 0) free.set(agentId, { head, candidate });
    }
    if (free.size === 0) return null;
    const rows = await this.#facts(source, [...free.keys()], reviewed, now);
    const busy = new Set(rows.flatMap((row) => (row.busy ? [row.agent_id] : [])));
    const recentPairs = rows.flatMap(({ met, agent_id }) =>
      met ? [{ reviewerAgentId: agent_id, pausedAgentId: paused.agentId }] : [],
    );
    const candidates = rows.flatMap((row) => {
      const found = free.get(row.agent_id);
      if (found === undefined) return [];
      return shortfallsOf(this.#record(found.head, row), reviewed).length === 0
        ? [{ ...found.candidate, tags: [] }]
        : [];
    });
    return selectReviewer(candidates, { ...search, pausedAgentTags: [], busy, recentPairs, random: random() });
  }

  /** What speaks against this agent as the reviewer of the other one. */
  async fitnessOf(source: Queryable, head: AgentHead, paused: AgentHead, askedAt: number): Promise<Fitness> {
    const reviewed = this.#reviewed(paused, askedAt);
    const [row] = await this.#facts(source, [head.agentId], reviewed, this.#options.clock.now());
    if (row === undefined) throw new Error('facts without a row');
    return { shortfalls: shortfallsOf(this.#record(head, row), reviewed), busy: row.busy, met: row.met };
  }

  #facts(source: Queryable, candidates: readonly string[], reviewed: Reviewed, now: number) {
    return source.query<ReviewerFactsRow>(
      selectReviewerFacts({
        candidates,
        pausedAgentId: reviewed.agentId,
        pausedAt: reviewed.pausedAt,
        enough: REVIEWER_NEEDS.gradedResults,
        metSince: now - DAY_MS,
        pausedSince: now - REVIEWER_NEEDS.unpaused,
      }),
    );
  }

  #origin(agentId: string): string {
    const { table } = this.#options.agents;
    return originOf(agentId, (id) => {
      const reading = table.read(id);
      return reading.ok ? reading.value.parentAgentId : null;
    });
  }

  #reviewed({ agentId, pause }: AgentHead, askedAt: number): Reviewed {
    const pausedAt = pause === null ? askedAt : Date.parse(pause.paused_at);
    return { agentId, origin: this.#origin(agentId), pausedAt };
  }

  #atSight({ agentId, createdAt, vitals }: AgentHead) {
    return { agentId, createdAt, claims: vitals?.claims ?? null, origin: this.#origin(agentId) };
  }

  #record(head: AgentHead, row: ReviewerFactsRow): ReviewerRecord {
    return {
      ...this.#atSight(head),
      gradedResults: row.graded,
      lastPausedAt: row.last_paused_at,
      sharesPlace: row.same_place,
    };
  }
}
