import { AUDIT_EVENTS } from '@breakwater/contract';
import type { AgentHead, Agents, AuditDraft } from '../agents/index.ts';
import type { Queryable } from '../postgres/index.ts';
import { FindingIds } from './finding-ids.ts';
import { BUDGET_MS } from './rules/budget.ts';
import type { Draft } from './rules/drafting.ts';
import { EPOCH, type Finding } from './rules/finding.ts';
import { lineageOf, provenanceOf } from './rules/provenance.ts';
import type { Writer } from './rules/writer.ts';
import * as sql from './sql.ts';

type Payload = Readonly<Record<string, unknown>>;

/** A finding that is to be stored. `synthesis` says what it was rolled up of. */
export interface Newborn {
  readonly draft: Draft;
  readonly relatedTo: readonly string[];
  readonly synthesis?: Payload;
}

const ATTEMPTS = 1000;

/** The audit row of a write. */
export const written = (action: string, discoveryId: string, more: Payload): AuditDraft => ({
  type: AUDIT_EVENTS.knowledgeWritten,
  payload: { action, discovery_id: discoveryId, ...more },
});

/** New findings: their ids, where they come from, and the budget that they are charged to. */
export class Births {
  readonly #agents: Agents;
  readonly #ids = new FindingIds();

  constructor(agents: Agents) {
    this.#agents = agents;
  }

  /** When the writer stored what it did in the last hour, oldest first; ms. */
  async spent(tx: Queryable, writer: Writer, now: number): Promise<readonly number[]> {
    const rows = await tx.query<{ at: number }>(sql.selectSpent(writer.id, now - BUDGET_MS));
    return rows.map(({ at }) => at);
  }

  /** Stores findings under ids that nobody has yet, in their order. */
  async store(
    tx: Queryable,
    writer: Writer,
    head: AgentHead | undefined,
    newborns: readonly Newborn[],
    now: number,
  ): Promise<Finding[]> {
    if (newborns.length === 0) return [];
    const chain = lineageOf(head, (agentId) => {
      const reading = this.#agents.table.read(agentId);
      return reading.ok ? reading.value : undefined;
    });
    const ids: string[] = [];
    for (let attempt = 0; ids.length < newborns.length; attempt += 1) {
      if (attempt >= ATTEMPTS) throw new Error('no free id for a finding');
      const rows = newborns.slice(ids.length).map(({ draft, relatedTo, synthesis }): sql.NewFinding => ({
        id: this.#ids.next(now),
        agentId: writer.id,
        type: draft.type,
        severity: draft.severity,
        summary: draft.summary,
        details: draft.details,
        tags: draft.tags,
        files: draft.files,
        relatedTo,
        responseToId: draft.responseTo?.id ?? null,
        responseType: draft.responseTo?.type ?? null,
        confidence: draft.confidence,
        provenance: { ...provenanceOf(writer, head, draft, now), ...(synthesis !== undefined && { synthesis }) },
        provenanceChain: chain,
        epoch: EPOCH,
      }));
      // One after another: of a batch, those after an id that is taken would otherwise overtake it.
      for (const row of rows) {
        if ((await tx.query(sql.insertFindings([row]))).length === 0) break;
        ids.push(row.id);
      }
    }
    const stored = await tx.query<sql.FindingRow>(sql.selectFindings(ids));
    return stored.map(sql.findingFromRow);
  }
}
