import { hash } from 'node:crypto';
import type { AgentStatus } from '../src/agents/agent.ts';
import { authority, type Standing } from '../src/dialectic/rules/authority.ts';
import {
  canonicalPayload,
  resolutionHash,
  resolutionText,
  sign,
  verify,
  type Signed,
} from '../src/dialectic/rules/canonical.ts';
import { readCondition, readingsConflict } from '../src/dialectic/rules/conflict.ts';
import { unsafeReason } from '../src/dialectic/rules/hard-limits.ts';
import { mergeOffers, type Offer } from '../src/dialectic/rules/merge.ts';
import { subjectConflict } from '../src/dialectic/rules/recusal.ts';
import { selectReviewer, type Candidate } from '../src/dialectic/rules/selection.ts';
import { isEquivalent, similarity, termsOf } from '../src/dialectic/rules/similarity.ts';
import { byCodePoint } from '../src/dialectic/rules/text.ts';
import type { Message } from '../src/dialectic/session.ts';
import { several, single, type Adapter } from './adapter.ts';
import { CONDITION_ADAPTERS } from './dialectic-conditions.ts';
import { SESSION_ADAPTERS } from './dialectic-session.ts';

interface Pair {
  readonly a: string;
  readonly b: string;
}

interface MessageRecord {
  readonly phase?: Message['type'];
  readonly agent_id: string;
  readonly proposed_conditions?: readonly string[] | null;
  readonly root_cause?: string | null;
  readonly reasoning?: string | null;
}

const offerOf = (message: MessageRecord): Offer => ({
  agentId: message.agent_id,
  conditions: message.proposed_conditions ?? [],
  rootCause: message.root_cause ?? null,
  reasoning: message.reasoning ?? null,
});

interface ResolutionRecord {
  readonly action: Signed['action'];
  readonly conditions: readonly string[] | null;
  readonly root_cause: string | null;
  readonly reasoning: string | null;
  readonly timestamp: string;
  readonly signature_a: string;
  readonly signature_b: string;
  readonly signature_version: number;
}

const signedOf = (resolution: ResolutionRecord): Signed => ({
  action: resolution.action,
  conditions: resolution.conditions,
  rootCause: resolution.root_cause,
  reasoning: resolution.reasoning,
  timestamp: resolution.timestamp,
  signatureA: resolution.signature_a,
  signatureB: resolution.signature_b,
  signatureVersion: resolution.signature_version,
});

type SignatureVector = {
  readonly expected: unknown;
} & (
  | {
      readonly kind: 'compute_signature';
      readonly input: { readonly resolution: ResolutionRecord; readonly api_key: string };
    }
  | {
      readonly kind: 'verify_signatures';
      readonly input: {
        readonly resolution: ResolutionRecord;
        readonly api_key_a: string;
        readonly api_key_b: string;
      };
    }
);

const signatureOf = (vector: SignatureVector): unknown =>
  vector.kind === 'compute_signature'
    ? sign(signedOf(vector.input.resolution), vector.input.api_key)
    : verify(signedOf(vector.input.resolution), vector.input.api_key_a, vector.input.api_key_b);

interface State {
  readonly risk_score?: unknown;
}

interface Metadata {
  readonly status?: AgentStatus;
  readonly label?: string | null;
  readonly tags?: readonly string[] | null;
  readonly last_update?: unknown;
  readonly total_reviews?: number;
  readonly successful_reviews?: number;
}

const MOMENT =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<time>\d\d:\d\d(?::\d\d)?)(?:\.(?<fraction>\d+))?(?<zone>Z|[+-].*)?)?$/;

/** An ISO 8601 text in ms since the epoch with its microseconds; without a zone it is UTC. null: it is none. */
const momentOf = (text: unknown): number | null => {
  const { date, time = '00:00', fraction = '0', zone = 'Z' } = MOMENT.exec(String(text))?.groups ?? {};
  const whole = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(whole) ? null : whole + Number(`0.${fraction}`) * 1000;
};

const nowOf = ({ now }: { readonly now: string }): number => Date.parse(now);

/** `{"$float": ...}` is how the vectors write a number that is not finite. */
const numberOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && '$float' in value ? Number(value.$float) : value;

/**
 * Differs on purpose: the reference reads the paused agent's risk for every candidate. Here the risk is the candidate's own,
 * so each is given that one.
 */
const standingOf = (metadata: Metadata, state: State | null): Standing => {
  const risk = numberOf(state?.risk_score);
  return {
    risk: typeof risk === 'number' ? risk : null,
    reviews: metadata.total_reviews ?? 0,
    successfulReviews: metadata.successful_reviews ?? 0,
    tags: metadata.tags ?? [],
    lastUpdateAt: momentOf(metadata.last_update),
  };
};

interface AuthorityVector {
  readonly input: {
    readonly metadata: Metadata & { readonly paused_agent_tags?: readonly string[] | null };
    readonly state: State | null;
    readonly now: string;
  };
  readonly expected: number | null;
}

const RESIDENTS: ReadonlySet<string> = new Set(['Chronicler', 'Lumen', 'Sentinel', 'Steward', 'Vigil', 'Watcher']);

interface SelectionInput {
  readonly metadata: Readonly<Record<string, Metadata | string | null>>;
  readonly paused_agent_id: string;
  readonly paused_agent_state: State | null;
  readonly paused_agent_tags: readonly string[] | null;
  readonly exclude_agent_ids: readonly string[] | null;
  readonly in_active_session: readonly string[];
  readonly recently_reviewed_pairs: readonly (readonly [string, string])[];
  readonly random: number;
  readonly flag: string;
  readonly now: string;
}

const candidatesOf = ({ metadata, paused_agent_state }: SelectionInput): Candidate[] =>
  Object.entries(metadata).flatMap(([agentId, known]) =>
    known === null || typeof known === 'string'
      ? []
      : {
          ...standingOf(known, paused_agent_state),
          agentId,
          label: known.label ?? null,
          status: known.status ?? 'active',
        },
  );

/** The flag is the caller's: with it off nobody is asked to select. */
const selected = (input: SelectionInput): string | null =>
  input.flag === '1'
    ? selectReviewer(candidatesOf(input), {
        pausedAgentId: input.paused_agent_id,
        pausedAgentTags: input.paused_agent_tags ?? [],
        excluded: new Set(input.exclude_agent_ids),
        busy: new Set(input.in_active_session),
        recentPairs: input.recently_reviewed_pairs.map(([reviewerAgentId, pausedAgentId]) => ({
          reviewerAgentId,
          pausedAgentId,
        })),
        residents: RESIDENTS,
        now: nowOf(input),
        random: input.random,
      })
    : null;

interface LimitsInput {
  readonly conditions: readonly string[];
  readonly root_cause: string | null;
  readonly session_type: string;
}

/** Adapters of the dialectic's groups, by the `schema` that a vector file carries. */
export const DIALECTIC_ADAPTERS: Readonly<Record<string, Adapter>> = {
  ...CONDITION_ADAPTERS,
  ...SESSION_ADAPTERS,
  'golden.dialectic.terms.v1': single((condition: string) => [...termsOf(condition)].sort(byCodePoint)),
  'golden.dialectic.similarity.v1': several(
    (v: { readonly input: Pair; readonly expected: number; readonly equivalent: boolean }) => {
      const alike = similarity(v.input.a, v.input.b);
      return [
        { at: 'score', got: alike, expected: v.expected },
        { at: 'equivalent', got: isEquivalent(alike), expected: v.equivalent },
      ];
    },
  ),
  'golden.dialectic.conflicts.v1': several(
    (v: { readonly input: Pair; readonly expected: boolean; readonly symmetric: boolean }) => {
      const [a, b] = [readCondition(v.input.a), readCondition(v.input.b)];
      const got = readingsConflict(a, b);
      return [
        { at: '', got, expected: v.expected },
        { at: 'symmetric', got: readingsConflict(b, a) === got, expected: v.symmetric },
      ];
    },
  ),
  'golden.dialectic.merge.v1': single(
    (v: {
      readonly msg_a: MessageRecord;
      readonly msg_b: MessageRecord;
      readonly transcript: readonly MessageRecord[];
    }) => {
      const record = v.transcript.map((m) => ({ ...offerOf(m), type: m.phase ?? 'synthesis' }));
      const { conditions, rootCause, reasoning } = mergeOffers(offerOf(v.msg_a), offerOf(v.msg_b), record);
      return { conditions, root_cause: rootCause, reasoning };
    },
  ),
  'golden.dialectic.hard_limits.v1': single((v: LimitsInput) => {
    const reason = unsafeReason({ conditions: v.conditions, rootCause: v.root_cause }, v.session_type);
    return { safe: reason === undefined, violation: reason ?? null };
  }),
  'golden.dialectic.canonical_payload.v1': several(
    (v: {
      readonly input: ResolutionRecord;
      readonly expected_utf8: string;
      readonly expected_hex: string;
      readonly sha256: string;
    }) => {
      const payload = canonicalPayload(signedOf(v.input));
      return [
        { at: 'utf8', got: payload, expected: v.expected_utf8 },
        { at: 'hex', got: Buffer.from(payload).toString('hex'), expected: v.expected_hex },
        { at: 'sha256', got: hash('sha256', payload), expected: v.sha256 },
      ];
    },
  ),
  'golden.dialectic.signatures.v1': several((v: SignatureVector) => [
    { at: v.kind, got: signatureOf(v), expected: v.expected },
  ]),
  'golden.dialectic.resolution_hash.v1': several(
    (v: { readonly input: ResolutionRecord; readonly preimage_utf8: string; readonly expected: string }) => [
      { at: 'preimage', got: resolutionText(signedOf(v.input)), expected: v.preimage_utf8 },
      { at: 'sha256', got: resolutionHash(signedOf(v.input)), expected: v.expected },
    ],
  ),
  'golden.dialectic.authority.v1': several(({ input, expected }: AuthorityVector) => {
    const { metadata, state } = input;
    const got = authority(standingOf(metadata, state), metadata.paused_agent_tags ?? [], nowOf(input));
    return [{ at: '', got, expected }];
  }),
  'golden.dialectic.selection.v1': single(selected),
  'golden.dialectic.recusal.v1': several(
    (v: {
      readonly input: readonly (string | null)[];
      readonly expected: { readonly recused: boolean; readonly matched_terms: unknown; readonly basis: unknown } | null;
    }) => {
      const found = subjectConflict(v.input, 'enforce');
      const got = found && { recused: found.recused, matched_terms: found.matchedTerms, basis: found.basis };
      const { recused, matched_terms, basis } = v.expected ?? {};
      return [{ at: '', got, expected: v.expected && { recused, matched_terms, basis } }];
    },
  ),
};
