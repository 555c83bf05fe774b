import type { AgentHead, Agents } from '../agents/index.ts';
import type { Queryable } from '../postgres/index.ts';
import { DAY_MS, type Clock, type Random } from '../runtime/index.ts';
import {
  originOf,
  REVIEWER_NEEDS,
  shortfallsAtSight,
  shortfallsOf,
  type Reviewed,
  type ReviewerRecord,
  type Shortfall,
} from './rules/qualification.ts';
import { authority } from './rules/authority.ts';
import { isAtWork, selectReviewer, type Candidate, type ReviewerSearch, type ReviewPair } from './rules/selection.ts';
import { selectReviewerFacts, type ReviewerFactsRow } from './sql.ts';

/** How many of the candidates that weigh most are asked about first. */
const LIKELIEST = 256;

/** What a candidate weighs but for its tags, as {@link selectReviewer} sees it here. */
const weightOf = (candidate: Candidate, now: number): number => authority({ ...candidate, tags: [] }, [], now);

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
export class Reviewers {
  readonly #options: { readonly agents: Agents; readonly clock: Clock; readonly random: Random };

  constructor(options: { readonly agents: Agents; readonly clock: Clock; readonly random: Random }) {
    this.#options = options;
  }

  /** A reviewer that qualifies and is free, or null. `source` reads for whoever asks, inside its transaction if it has one. */
  async choose(
    source: Queryable,
    paused: AgentHead,
    excluded: ReadonlySet<string>,
    askedAt: number,
  ): Promise<string | null> {
    const { agents, clock } = this.#options;
    const now = clock.now();
    const reviewed = this.#reviewed(paused, askedAt);
    const search = { pausedAgentId: paused.agentId, excluded, residents: new Set<string>(), now };
    const free = new Map<string, { readonly head: AgentHead; readonly candidate: Candidate }>();
    for (const [agentId, head] of agents.table.entries()) {
      const candidate = candidateOf(head);
      if (candidate === undefined || !isAtWork(candidate, search) || agents.heldInMemory(head) !== undefined) continue;
      if (shortfallsAtSight(this.#atSight(head), reviewed).length === 0) free.set(agentId, { head, candidate });
    }
    // The likeliest first: in a large fleet most need not be asked about, and an unfit crowd only costs a second look.
    const ranked = [...free.values()]
      .map((one) => ({ ...one, weight: weightOf(one.candidate, now) }))
      .sort((a, b) => b.weight - a.weight);
    for (const part of [ranked.slice(0, LIKELIEST), ranked.slice(LIKELIEST)]) {
      const chosen = part.length === 0 ? null : await this.#chooseOf(source, part, paused, reviewed, search);
      if (chosen !== null) return chosen;
    }
    return null;
  }

  async #chooseOf(
    source: Queryable,
    found: readonly { readonly head: AgentHead; readonly candidate: Candidate }[],
    paused: AgentHead,
    reviewed: Reviewed,
    search: Pick<ReviewerSearch, 'pausedAgentId' | 'excluded' | 'residents' | 'now'>,
  ): Promise<string | null> {
    const ids = found.map(({ head }) => head.agentId);
    const rows = new Map(
      (await this.#facts(source, ids, reviewed, search.now)).map((row) => [row.agent_id, row] as const),
    );
    const busy = new Set<string>();
    const recentPairs: ReviewPair[] = [];
    const candidates: Candidate[] = [];
    for (const { head, candidate } of found) {
      const row = rows.get(head.agentId);
      if (row === undefined || shortfallsOf(this.#record(head, row), reviewed).length > 0) continue;
      if (row.busy) busy.add(head.agentId);
      if (row.met) recentPairs.push({ reviewerAgentId: head.agentId, pausedAgentId: paused.agentId });
      candidates.push({ ...candidate, tags: [] });
    }
    const { random } = this.#options;
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
