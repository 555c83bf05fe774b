import { ok, refuse, type Result, type Refusal } from '@breakwater/contract';
import { idempotencyOf } from '../agents/index.ts';
import { UUID, type Caller, type Evidence } from '../runtime/index.ts';
import { discoveryIdOf, named, viewerOf, type Action, type Answer, type Call } from './call.ts';
import type { Findings, Stored } from './findings.ts';
import type { Journal, WriteCall } from './journal.ts';
import type { Reader } from './reader.ts';
import type { RolledUp, RollUp } from './rollup.ts';
import { NEW_FINDINGS } from './rules/budget.ts';
import { wishOf } from './rules/changing.ts';
import { draftOf } from './rules/drafting.ts';
import type { Finding } from './rules/finding.ts';
import { broken, missing, refuseFields } from './rules/problems.ts';
import { normalTags } from './rules/tags.ts';
import { cutText } from './rules/text.ts';
import { compactView, fullView, type Sight } from './rules/view.ts';
import type { Tended, Tending } from './tending.ts';

const DENSE = 5;
/** Types whose findings wait for somebody to do something. */
const TO_RESOLVE = new Set(['bug_found', 'bug', 'question', 'improvement']);

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const refusalView = ({ code, message, details, retryAfterSeconds }: Refusal) => ({
  ...details,
  success: false as const,
  error_code: code,
  error: message,
  ...(retryAfterSeconds !== undefined && { retry_after_seconds: retryAfterSeconds }),
});

/** What the actions that write work with. */
export interface WriteParts {
  readonly reader: Reader;
  readonly journal: Journal;
  readonly findings: Findings;
  readonly tending: Tending;
  readonly rollUp: RollUp;
  readonly sessionKeyOf: (evidence: Evidence) => string | null;
  /** Why an agent that nobody proved may not write; undefined when it may (W3-3.08). */
  readonly refusedWrite: (caller: Caller, tool: string) => Refusal | undefined;
}

/** The actions that write. A finding of low or medium severity may come from anybody; everything else needs an identity. */
export const writeActions = (
  parts: WriteParts,
): { readonly [K in 'store' | 'note' | 'update' | 'supersede' | 'synthesize' | 'cleanup']: Action<K> } => {
  const { reader, journal, findings, tending, rollUp } = parts;

  const writing = (call: Call): Result<WriteCall & { readonly warnings: readonly string[] }> => {
    const { args, caller, evidence, deadline } = call;
    const refusal = parts.refusedWrite(caller, 'knowledge');
    if (refusal !== undefined) return { ok: false, refusal };
    const { agent_id: given } = args;
    if (caller.agentId !== undefined && given != null && UUID.test(given) && given.toLowerCase() !== caller.agentId) {
      return refuse('IDENTITY_CONFLICT', 'agent_id names another agent than the one that the call proves.', {
        details: { parameter: 'agent_id' },
      });
    }
    const writer = journal.writerOf(caller, evidence, parts.sessionKeyOf(evidence));
    const anonymous = caller.agentId === undefined;
    const warnings = [
      ...(anonymous && given != null ? ['agent_id proves nothing: the finding stands under no agent'] : []),
      ...(anonymous && args.idempotency_key !== undefined
        ? ['idempotency_key counts for a proven agent only: a repeat stores once more']
        : []),
    ];
    return ok({ writer, deadline, idempotency: anonymous ? undefined : idempotencyOf(args), warnings });
  };

  /** A write for which somebody must answer. */
  const answering = (call: Call): Result<WriteCall> => {
    const { agentId, operator } = call.caller;
    return agentId === undefined && operator?.act !== true
      ? refuse('IDENTITY_REQUIRED', 'Changing what others read needs an identity.', {
          details: { status: 'identity_required' },
        })
      : writing(call);
  };

  const storedView = ({ finding, draft, similar, left }: Stored, sight: Sight, warnings: readonly string[]) => {
    const told = [...warnings, ...draft.warnings];
    return {
      similar: similar.map(({ finding: other, weight }) => ({
        id: other.id,
        summary: cutText(sight.text(other.summary), 160),
        by: sight.name(other.agent_id),
        weight: Math.round(weight * 100) / 100,
      })),
      ...(draft.supersedes !== null && { supersedes: draft.supersedes }),
      budget: { left, limit: NEW_FINDINGS, window: 'hour' as const },
      ...(TO_RESOLVE.has(finding.type) && {
        _resolve_when_done: `knowledge(action=update, discovery_id=${finding.id}, status=resolved)`,
      }),
      ...(told.length > 0 && { warnings: told }),
      ...(Object.keys(draft.truncated).length > 0 && { _truncated: draft.truncated }),
    };
  };

  /** Stores one finding; `tell` makes the answer. */
  const storeOne = async <R>(
    call: Call,
    kind: 'finding' | 'note',
    tell: (finding: Finding, shown: ReturnType<typeof fullView>, beside: ReturnType<typeof storedView>) => R,
  ): Promise<Result<R>> => {
    const asked = writing(call);
    if (!asked.ok) return asked;
    const raw = kind === 'note' ? { ...call.args, discovery_type: 'note', severity: call.args.severity } : call.args;
    const draft = draftOf(raw, kind);
    if (!draft.ok) return draft;
    const sight = reader.sightOf(viewerOf(call.caller));
    return findings.store(asked.value, [draft], ([result]) => {
      if (result === undefined) throw new Error('one draft gives one result');
      if (!result.ok) return result;
      const { finding } = result.value;
      const beside = storedView(result.value, sight, asked.value.warnings);
      return ok(tell(finding, fullView(finding, sight, { provenance: true }), beside));
    });
  };

  const storeFinding = (call: Call): Promise<Result<Answer<'store'>>> =>
    storeOne(call, 'finding', ({ id }, discovery, beside) => ({
      message: 'The finding is stored.',
      discovery_id: id,
      discovery,
      ...beside,
    }));

  const note: Action<'note'> = (sent) =>
    storeOne(named(sent, 'note'), 'note', ({ id }, view, beside) => ({
      message: 'The note is kept.',
      discovery_id: id,
      note_id: id,
      note: view,
      ...beside,
    }));

  const storeMany = async (
    call: Call,
    items: readonly Readonly<Record<string, unknown>>[],
  ): Promise<Result<Answer<'store'>>> => {
    const asked = writing(call);
    if (!asked.ok) return asked;
    const sight = reader.sightOf(viewerOf(call.caller));
    const drafts = items.map((item) => draftOf(item, 'finding'));
    return findings.store(asked.value, drafts, (results) => {
      const ids = results.flatMap((result) => (result.ok ? [result.value.finding.id] : []));
      return ok({
        message: `${ids.length} of ${results.length} findings are stored.`,
        stored: ids.length,
        failed: results.length - ids.length,
        discovery_ids: ids,
        results: results.map((result, index) =>
          result.ok
            ? {
                index,
                success: true as const,
                discovery_id: result.value.finding.id,
                ...storedView(result.value, sight, []),
              }
            : { index, ...refusalView(result.refusal) },
        ),
        ...(asked.value.warnings.length > 0 && { warnings: asked.value.warnings }),
      });
    });
  };

  const store: Action<'store'> = (sent) => {
    const call = named(sent, 'store');
    const { discoveries } = call.args;
    return discoveries == null ? storeFinding(call) : storeMany(call, discoveries);
  };

  const update: Action<'update'> = async (sent) => {
    const call = named(sent, 'update');
    const asked = answering(call);
    if (!asked.ok) return asked;
    const id = discoveryIdOf(call);
    if (!id.ok) return id;
    const understood = wishOf(call.args);
    if (!understood.ok) return understood;
    const { wish, truncated, warnings } = understood.value;
    const sight = reader.sightOf(viewerOf(call.caller));
    return findings.update(asked.value, id.value, wish, (finding, changed) => ({
      message: changed.length === 0 ? 'The finding is like that already.' : 'The finding is updated.',
      discovery_id: finding.id,
      changed: changed.map(snake),
      discovery: fullView(finding, sight),
      ...(Object.keys(truncated).length > 0 && { _truncated: truncated }),
      ...(warnings.length > 0 && { warnings }),
    }));
  };

  const supersede: Action<'supersede'> = async (call) => {
    const asked = answering(call);
    if (!asked.ok) return asked;
    const { discovery_id: by, supersedes_id: given, supersedes } = call.args;
    const old = given ?? supersedes;
    if (by == null || by === '' || old == null || old === '') {
      return refuseFields([
        ...(by == null || by === '' ? [missing('discovery_id', 'is required: the newer finding')] : []),
        ...(old == null || old === '' ? [missing('supersedes_id', 'is required: the older finding')] : []),
      ]);
    }
    const sight = reader.sightOf(viewerOf(call.caller));
    return findings.update(asked.value, old, { supersededBy: by }, (finding) => ({
      message: `${by} replaces ${old}.`,
      discovery_id: by,
      supersedes_id: old,
      superseded: compactView(finding, sight),
    }));
  };

  const rolledView = (rolled: readonly RolledUp[], dryRun: boolean): Answer<'synthesize'> => ({
    dry_run: dryRun,
    topics: rolled.map(({ synthesis, members, id, supersedes, unchanged }) => ({
      tag: synthesis.tag,
      members,
      severity: synthesis.severity,
      summary: cutText(synthesis.summary, 500),
      ...(unchanged ? { unchanged: true as const, discovery_id: supersedes } : { discovery_id: id, supersedes }),
    })),
    synthesized: rolled.filter(({ id }) => id !== null).length,
    model_used: false,
    ...(rolled.length === 0 && { message: 'No tag has enough open findings.' }),
  });

  const synthesize: Action<'synthesize'> = async (call) => {
    const { topic, min_members: least = DENSE, dry_run: dryRun = true } = call.args;
    const tag = topic == null ? null : normalTags([topic]).tags[0];
    if (tag === undefined) return refuseFields([broken('topic', 'must be a tag')]);
    if (dryRun) {
      const rolled = await rollUp.look(tag, least);
      await journal.noteRead(call.caller.agentId ?? null, { action: 'synthesize', count: rolled.length });
      return ok(rolledView(rolled, true));
    }
    const asked = answering(call);
    return asked.ok ? rollUp.run(asked.value, tag, least, (rolled) => rolledView(rolled, false)) : asked;
  };

  const tendedView = ({ tally, complete }: Tended, dryRun: boolean): Answer<'cleanup'> => ({
    dry_run: dryRun,
    message: dryRun ? 'This is what a run would do; send dry_run=false to have it done.' : 'The lifecycle has run.',
    ...tally,
    complete,
    errors: [],
    // The reference's clients read the nested object alone, and take its absence for an empty one.
    cleanup_result: { dry_run: dryRun, ...tally, complete, errors: [] },
  });

  const cleanup: Action<'cleanup'> = async (call) => {
    if (call.args.dry_run !== false) {
      const tended = await tending.look(call.deadline);
      await journal.noteRead(call.caller.agentId ?? null, { action: 'cleanup', ...tended.tally });
      return ok(tendedView(tended, true));
    }
    const asked = answering(call);
    if (!asked.ok) return asked;
    const tended = await tending.run(asked.value);
    return tended.ok ? ok(tendedView(tended.value, false)) : tended;
  };

  return { store, note, update, supersede, synthesize, cleanup };
};
