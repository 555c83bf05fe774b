import { ok, refuse, type Result } from '@breakwater/contract';
import type { Database, Queryable } from '../postgres/index.ts';
import { written, type Births } from './births.ts';
import type { Journal, WriteCall } from './journal.ts';
import { budgetLeft, refuseBudget } from './rules/budget.ts';
import { change, refuseSupersession, type Changer, type Wish } from './rules/changing.ts';
import type { Draft } from './rules/drafting.ts';
import type { Finding } from './rules/finding.ts';
import { similarByTags, type Similar } from './rules/similar.ts';
import { refuseUnbound, type Writer } from './rules/writer.ts';
import * as sql from './sql.ts';

/** A finding that was stored, and what else there is under its tags. */
export interface Stored {
  readonly finding: Finding;
  readonly draft: Draft;
  readonly similar: readonly Similar<SharingRow>[];
  /** How many more the writer may store in this hour. */
  readonly left: number;
}

/** A finding under one of the same tags. */
export interface SharingRow {
  readonly id: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly agent_id: string;
}

/** Findings with a common tag that are compared with a new one. */
const COMPARED = 200;

/** A draft that may be stored, and what is near to it. */
interface Admitted {
  readonly draft: Draft;
  readonly near: readonly Similar<SharingRow>[];
}

const NONE: Admitted['near'] = [];

const at = <T>(list: readonly T[], i: number): T => {
  const item = list[i];
  if (item === undefined) throw new Error('what was admitted and what was stored differ');
  return item;
};

const notFound = (id: string) => refuse('DISCOVERY_NOT_FOUND', `No finding ${id}.`, { details: { discovery_id: id } });

const changerOf = ({ id, agentId, caller }: Writer): Changer => ({
  id,
  bound: agentId !== undefined,
  operator: caller.operator?.act === true,
});

/** Findings, stored and changed by their writers. */
export class Findings {
  readonly #options: { database: Database; journal: Journal; births: Births };

  constructor(options: { database: Database; journal: Journal; births: Births }) {
    this.#options = options;
  }

  /**
   * Stores findings, each for itself: one that is refused keeps no other out (BW-knowledge.01). `tell` makes the answer;
   * when it refuses, nothing may have been stored. Refusals of one: IDENTITY_REQUIRED, RATE_LIMIT_EXCEEDED (20 in an hour,
   * BW-knowledge.03), DISCOVERY_NOT_FOUND, FORBIDDEN, INVALID_STATUS_TRANSITION.
   */
  async store<R>(
    call: WriteCall,
    drafts: readonly Result<Draft>[],
    tell: (results: readonly Result<Stored>[]) => Result<R>,
  ): Promise<Result<R>> {
    const similar = await Promise.all(drafts.map((draft) => this.#similar(draft)));
    return this.#options.journal.write(call, async (tx, head, now) => {
      const spent = await this.#options.births.spent(tx, call.writer, now);
      let left = budgetLeft(spent);
      const known = await this.#named(tx, drafts);
      const replaced = new Set<string>();
      const admitted = drafts.map((draft): Result<Draft> => {
        if (!draft.ok) return draft;
        const refused = this.#refuseDraft(draft.value, call.writer, known, replaced, now);
        if (refused !== undefined) return refused;
        if (left === 0) return refuseBudget(spent, now);
        left -= 1;
        if (draft.value.supersedes !== null) replaced.add(draft.value.supersedes);
        return draft;
      });
      const good = admitted.flatMap((draft, i) => (draft.ok ? [{ draft: draft.value, near: similar[i] ?? NONE }] : []));
      const made = await this.#options.births.store(
        tx,
        call.writer,
        head,
        good.map(({ draft, near }) => ({ draft, relatedTo: near.map(({ finding }) => finding.id) })),
        now,
      );
      await this.#link(
        tx,
        call.writer,
        made.map((finding, i) => ({ id: finding.id, ...at(good, i) })),
        known,
        now,
      );
      const findings = made.values();
      const results = admitted.map((draft, i): Result<Stored> => {
        if (!draft.ok) return draft;
        const finding = findings.next();
        if (finding.done === true) throw new Error('a finding was admitted and not stored');
        return ok({ finding: finding.value, draft: draft.value, similar: similar[i] ?? [], left });
      });
      const told = tell(results);
      if (!told.ok) {
        if (made.length > 0) throw new Error('a call is refused that has stored something');
        return told;
      }
      const events = made.map(({ id, type, severity }, i) => {
        const { supersedes } = at(good, i).draft;
        return written('store', id, { type, severity, ...(supersedes !== null && { supersedes }) });
      });
      return ok({ reply: told.value, events });
    });
  }

  /**
   * Changes a finding; `tell` makes the answer out of it and of what was changed. Refusals: DISCOVERY_NOT_FOUND, and those
   * of {@link change}.
   */
  async update<R>(
    call: WriteCall,
    id: string,
    wish: Wish,
    tell: (finding: Finding, changed: readonly string[]) => R,
  ): Promise<Result<R>> {
    return this.#options.journal.write(call, async (tx, _head, now) => {
      const { supersededBy } = wish;
      const ids = supersededBy === undefined ? [id] : [id, supersededBy];
      const rows = await tx.query<sql.FindingRow>(sql.lockFindings(ids));
      const found = new Map(rows.map((row) => [row.id, sql.findingFromRow(row)]));
      const finding = found.get(id);
      if (finding === undefined) return notFound(id);
      const by = supersededBy === undefined ? undefined : found.get(supersededBy);
      if (supersededBy !== undefined) {
        if (by === undefined) return notFound(supersededBy);
        const refused = refuseSupersession(by, finding);
        if (refused !== undefined) return refused;
      }
      const decided = change(finding, wish, changerOf(call.writer), now);
      if (!decided.ok) return decided;
      const patch = decided.value;
      const changed = Object.keys(patch);
      if (changed.length === 0) return ok({ reply: tell(finding, []), events: [] });
      await tx.query(sql.updateFinding(id, patch, now));
      if (by !== undefined) {
        const edge = { from: by.id, to: id, type: 'SUPERSEDES', responseType: null, weight: 1 } as const;
        await tx.query(sql.insertEdges([edge], call.writer.id, now));
      }
      const [after] = await tx.query<sql.FindingRow>(sql.selectFindings([id]));
      if (after === undefined) throw new Error('a finding is gone that was held');
      const event = written('update', id, {
        fields: changed,
        ...(patch.status !== undefined && { from: finding.status, to: patch.status }),
        ...(by !== undefined && { superseded_by: by.id }),
        // What a reopening takes away stands nowhere else.
        ...(patch.resolvedAt === null && {
          was: { closure_class: finding.closureClass, resolution_notes: finding.resolutionNotes },
        }),
      });
      return ok({ reply: tell(sql.findingFromRow(after), changed), events: [event] });
    });
  }

  /** Draws the lines from new findings to those that they name and are near to, and closes those that they replace. */
  async #link(
    tx: Queryable,
    writer: Writer,
    made: readonly ({ readonly id: string } & Admitted)[],
    known: ReadonlyMap<string, Finding>,
    now: number,
  ): Promise<void> {
    const edges: sql.Edge[] = [];
    for (const { id: from, draft, near } of made) {
      for (const { finding: other, weight } of near) {
        edges.push({ from, to: other.id, type: 'RELATED_TO', responseType: null, weight });
      }
      if (draft.responseTo !== null) {
        const { id: to, type: responseType } = draft.responseTo;
        edges.push({ from, to, type: 'RESPONDS_TO', responseType, weight: 1 });
      }
      const old = draft.supersedes === null ? undefined : known.get(draft.supersedes);
      if (old === undefined) continue;
      edges.push({ from, to: old.id, type: 'SUPERSEDES', responseType: null, weight: 1 });
      const patch = change(old, { supersededBy: from }, changerOf(writer), now);
      if (!patch.ok) throw new Error('a supersession was admitted that the rules refuse');
      await tx.query(sql.updateFinding(old.id, patch.value, now));
    }
    if (edges.length > 0) await tx.query(sql.insertEdges(edges, writer.id, now));
  }

  async #similar(draft: Result<Draft>): Promise<Admitted['near']> {
    if (!draft.ok || !draft.value.linkRelated || draft.value.tags.length === 0) return NONE;
    const { tags } = draft.value;
    return similarByTags(tags, await this.#options.database.query<SharingRow>(sql.selectSharingTags(tags, COMPARED)));
  }

  /** The findings that drafts name; those that are to be replaced are held. */
  async #named(tx: Queryable, drafts: readonly Result<Draft>[]): Promise<ReadonlyMap<string, Finding>> {
    const named = drafts.flatMap((draft) => (draft.ok ? [draft.value] : []));
    const replaced = named.flatMap(({ supersedes }) => supersedes ?? []);
    const answered = named.flatMap(({ responseTo }) => responseTo?.id ?? []);
    const rows = [
      ...(answered.length > 0 ? await tx.query<sql.FindingRow>(sql.selectFindings(answered)) : []),
      ...(replaced.length > 0 ? await tx.query<sql.FindingRow>(sql.lockFindings(replaced)) : []),
    ];
    return new Map(rows.map((row) => [row.id, sql.findingFromRow(row)]));
  }

  #refuseDraft(
    draft: Draft,
    writer: Writer,
    known: ReadonlyMap<string, Finding>,
    replaced: ReadonlySet<string>,
    now: number,
  ): Result<never> | undefined {
    const unbound = refuseUnbound(draft.severity, writer);
    if (unbound !== undefined) return { ok: false, refusal: unbound };
    if (draft.responseTo !== null && !known.has(draft.responseTo.id)) return notFound(draft.responseTo.id);
    if (draft.supersedes === null) return undefined;
    const old = known.get(draft.supersedes);
    if (old === undefined) return notFound(draft.supersedes);
    const standing: Finding = replaced.has(old.id) ? { ...old, status: 'superseded' } : old;
    const patch = change(standing, { supersededBy: 'new' }, changerOf(writer), now);
    return patch.ok ? undefined : patch;
  }
}
