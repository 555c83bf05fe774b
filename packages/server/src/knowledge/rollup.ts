import { ok, type Result } from '@breakwater/contract';
import type { Database, Queryable } from '../postgres/index.ts';
import { written, type Births } from './births.ts';
import type { Journal, WriteCall } from './journal.ts';
import { budgetLeft, refuseBudget } from './rules/budget.ts';
import type { Patch } from './rules/changing.ts';
import type { Draft } from './rules/drafting.ts';
import { synthesise, type Synthesis } from './rules/synthesis.ts';
import * as sql from './sql.ts';
import * as tending from './tending-sql.ts';

/** What became of a dense tag. */
export interface RolledUp {
  readonly synthesis: Synthesis;
  readonly members: number;
  /** The finding that says it; null: it was only looked, or the budget was used up. */
  readonly id: string | null;
  /** The one before, which said the same of other findings. */
  readonly supersedes: string | null;
  /** It stands already, made of the very same findings. */
  readonly unchanged: boolean;
}

const DENSE_TAGS = 10;
const MEMBERS = 500;

/** Rolls the open findings of dense tags up into one each. */
export class RollUp {
  readonly #options: { database: Database; journal: Journal; births: Births };

  constructor(options: { database: Database; journal: Journal; births: Births }) {
    this.#options = options;
  }

  /** What the open findings of dense tags would come to, without writing it. */
  async look(topic: string | null, leastMembers: number): Promise<RolledUp[]> {
    return this.#dense(this.#options.database, topic, leastMembers);
  }

  /** Writes what the open findings of dense tags come to; an older synthesis is superseded, an unchanged one left. */
  async run<R>(
    call: WriteCall,
    topic: string | null,
    leastMembers: number,
    tell: (rolled: readonly RolledUp[]) => R,
  ): Promise<Result<R>> {
    return this.#options.journal.write(call, async (tx, head, now) => {
      const dense = await this.#dense(tx, topic, leastMembers);
      const fresh = dense.filter(({ unchanged }) => !unchanged);
      const spent = await this.#options.births.spent(tx, call.writer, now);
      const room = fresh.slice(0, budgetLeft(spent));
      if (room.length === 0 && fresh.length > 0) return refuseBudget(spent, now);
      const made = await this.#options.births.store(
        tx,
        call.writer,
        head,
        room.map(({ synthesis, members }) => ({
          draft: draftOfSynthesis(synthesis),
          relatedTo: synthesis.memberIds,
          synthesis: { tag: synthesis.tag, members, members_hash: synthesis.membersHash },
        })),
        now,
      );
      const edges: sql.Edge[] = [];
      for (const [i, { id: from }] of made.entries()) {
        const { synthesis, supersedes } = room[i] ?? {};
        for (const to of synthesis?.memberIds ?? []) {
          edges.push({ from, to, type: 'RELATED_TO', responseType: null, weight: 1 });
        }
        if (supersedes == null) continue;
        edges.push({ from, to: supersedes, type: 'SUPERSEDES', responseType: null, weight: 1 });
        const patch: Patch = { status: 'superseded', supersededBy: from, resolvedAt: now, resolvedBy: call.writer.id };
        await tx.query(sql.updateFinding(supersedes, patch, now));
      }
      if (edges.length > 0) await tx.query(sql.insertEdges(edges, call.writer.id, now));
      const ids = new Map(made.map((finding, i) => [room[i]?.synthesis.tag, finding.id]));
      const rolled = dense.map((one) => ({ ...one, id: one.unchanged ? null : (ids.get(one.synthesis.tag) ?? null) }));
      const events = made.map(({ id }, i) =>
        written('synthesize', id, { tag: room[i]?.synthesis.tag, supersedes: room[i]?.supersedes ?? null }),
      );
      return ok({ reply: tell(rolled), events });
    });
  }

  async #dense(db: Queryable, topic: string | null, leastMembers: number): Promise<RolledUp[]> {
    const tags = await db.query<{ tag: string }>(tending.selectDense(leastMembers, topic, DENSE_TAGS));
    const rolled: RolledUp[] = [];
    for (const { tag } of tags) {
      const rows = await db.query<tending.MemberRow>(tending.selectMembers(tag, MEMBERS));
      const synthesis = synthesise(
        tag,
        rows.map(({ agent_id: agentId, created_at: createdAt, ...row }) => ({ ...row, agentId, createdAt })),
      );
      const [standing] = await db.query<tending.StandingRow>(tending.selectStanding(tag));
      const unchanged = standing?.members_hash === synthesis.membersHash;
      rolled.push({ synthesis, members: rows.length, id: null, supersedes: standing?.id ?? null, unchanged });
    }
    return rolled;
  }
}

const draftOfSynthesis = ({ summary, details, severity, tags }: Synthesis): Draft => ({
  type: 'insight',
  severity,
  summary,
  details,
  tags,
  files: [],
  confidence: null,
  responseTo: null,
  supersedes: null,
  linkRelated: false,
  truncated: {},
  warnings: [],
});
