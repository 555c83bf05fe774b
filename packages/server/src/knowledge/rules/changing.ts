import { ok, refuse, type FieldProblem, type Result } from '@breakwater/contract';
import type { ClosureClass, Finding, Severity, Status } from './finding.ts';
import { broken, missing, refuseFields } from './problems.ts';
import { lostTags, normalTags } from './tags.ts';
import { bounded, DETAILS_LIMIT, leakedMarkup, NOTES_LIMIT, SUMMARY_LIMIT, type Cut } from './text.ts';
import {
  understandClosureClass,
  understandSeverity,
  understandStatus,
  understandType,
  type Understood,
} from './vocabulary.ts';

/** What shall be changed of a finding, after it was understood; what is absent stays. */
export interface Wish {
  readonly status?: Status;
  readonly summary?: string;
  readonly details?: string;
  readonly type?: string;
  readonly severity?: Severity;
  readonly tags?: readonly string[];
  readonly resolutionNotes?: string;
  readonly closureClass?: ClosureClass;
  readonly closureEvidence?: Readonly<Record<string, unknown>>;
  readonly supersededBy?: string;
}

/** The columns that a change writes. */
export type Patch = Partial<
  Pick<
    Finding,
    | 'status'
    | 'summary'
    | 'type'
    | 'severity'
    | 'tags'
    | 'resolutionNotes'
    | 'closureClass'
    | 'closureEvidence'
    | 'supersededBy'
    | 'resolvedAt'
    | 'resolvedBy'
    | 'archivedAt'
  >
> & { readonly details?: string };

/** Who wants to change something. */
export interface Changer {
  readonly id: string;
  /** A proven agent. */
  readonly bound: boolean;
  /** An operator that may act. */
  readonly operator: boolean;
}

type Raw = Readonly<Record<string, unknown>>;

/** Statuses in which a finding is done with. */
export const CLOSED: readonly Status[] = ['resolved', 'closed', 'wont_fix', 'superseded'];

const isClosed = (status: Status): boolean => CLOSED.includes(status);
const isStored = (status: Status): boolean => status === 'archived' || status === 'cold';

/** What only the writer of a finding, or an operator, may change of it. */
const AUTHORS_ONLY = ['summary', 'details', 'type', 'severity', 'tags'] as const;

/** Understands what an update asks for, naming everything that is wrong with it at once. */
export const wishOf = (
  raw: Raw,
): Result<{
  readonly wish: Wish;
  readonly truncated: Readonly<Record<string, Cut>>;
  /** What was not kept as it was sent. */
  readonly warnings: readonly string[];
}> => {
  const problems: FieldProblem[] = [];
  const truncated: Record<string, Cut> = {};
  const text = (name: string, most: number): string | undefined => {
    const given = raw[name];
    if (typeof given !== 'string') return undefined;
    const { text: kept, cut } = bounded(given.trim(), most);
    if (cut !== undefined) truncated[name] = cut;
    const leak = leakedMarkup(kept);
    if (leak !== undefined) problems.push({ ...broken(name, 'must not hold the markup of a tool call'), given: leak });
    if (kept === '') problems.push(missing(name, 'must not be blank'));
    return kept;
  };
  const word = <T>(name: string, understand: (given: unknown) => Understood<T>): T | undefined => {
    const given = raw[name];
    if (given === undefined || given === null) return undefined;
    const understood = understand(given);
    if (understood.ok) return understood.value;
    problems.push(understood.problem);
    return undefined;
  };
  const summary = text('summary', SUMMARY_LIMIT);
  const details = text('details', DETAILS_LIMIT);
  const resolutionNotes = text('resolution_notes', NOTES_LIMIT);
  const status = word('status', understandStatus);
  const type = word('discovery_type', understandType);
  const severity = word('severity', understandSeverity);
  const closureClass = word('closure_class', understandClosureClass);
  const evidence = raw['closure_evidence'] as Raw | null | undefined;
  const read = raw['tags'] === undefined || raw['tags'] === null ? undefined : normalTags(raw['tags']);
  const tags = read?.tags;
  const supersededBy = raw['superseded_by'];
  if (problems.length > 0) return refuseFields(problems);
  const wish: Wish = {
    ...(status !== undefined && { status }),
    ...(summary !== undefined && { summary }),
    ...(details !== undefined && { details }),
    ...(type !== undefined && { type }),
    ...(severity !== undefined && { severity }),
    ...(tags !== undefined && { tags }),
    ...(resolutionNotes !== undefined && { resolutionNotes }),
    ...(closureClass !== undefined && { closureClass }),
    ...(evidence != null && { closureEvidence: evidence }),
    ...(typeof supersededBy === 'string' && supersededBy !== '' && { supersededBy }),
  };
  if (Object.keys(wish).length === 0) {
    return refuseFields([
      missing(
        'status',
        'or something else to change is required: summary, details, severity, tags, resolution_notes, …',
      ),
    ]);
  }
  return ok({ wish, truncated, warnings: lostTags(read?.lost ?? []) });
};

const refuseStatus = (finding: Finding, to: Status, why: string): Result<never> =>
  refuse('INVALID_STATUS_TRANSITION', `A finding that is ${finding.status} cannot become ${to}: ${why}`, {
    details: { discovery_id: finding.id, status: finding.status, wanted: to },
    recovery: {
      action: 'knowledge(action=details) shows the finding; open, resolved, closed, wont_fix and disputed can be set.',
    },
  });

/** Whether the changer may do this to the finding of somebody else. */
const refuseAuthority = (finding: Finding, wish: Wish, to: Status, changer: Changer): Result<never> | undefined => {
  if (changer.operator || changer.id === finding.agentId) return undefined;
  const touched = AUTHORS_ONLY.filter((name) => wish[name] !== undefined);
  if (touched.length > 0 || (to === 'archived' && finding.status !== 'archived')) {
    return refuse('FORBIDDEN', 'The words of a finding, and its end, are its writer’s to change.', {
      details: { discovery_id: finding.id, authors_only: touched.length > 0 ? touched : ['status=archived'] },
      recovery: {
        action: 'Store a finding of your own with response_to, or with supersedes when yours replaces it.',
        related_tools: ['knowledge'],
      },
    });
  }
  const severe = finding.severity === 'high' || finding.severity === 'critical';
  if (severe && isClosed(to) && !isClosed(finding.status) && wish.closureEvidence === undefined) {
    return refuse(
      'FORBIDDEN',
      `A finding of severity ${finding.severity} is closed by its writer, or with closure_evidence.`,
      {
        details: { discovery_id: finding.id, severity: finding.severity },
        recovery: {
          action: 'Send closure_class, and in closure_evidence what shows it.',
          related_tools: ['knowledge'],
        },
      },
    );
  }
  return undefined;
};

/**
 * What an update makes of a finding, or why it may not be: who may change what, which status follows on which, and what
 * belongs to a status. `cold` is the lifecycle's to set; `superseded` comes with the finding that replaces it.
 */
export const change = (finding: Finding, wish: Wish, changer: Changer, now: number): Result<Patch> => {
  const to = wish.supersededBy !== undefined ? 'superseded' : (wish.status ?? finding.status);
  if (!changer.bound && !changer.operator) {
    return refuse('IDENTITY_REQUIRED', 'Changing a finding needs an identity.', {
      details: { status: 'identity_required' },
    });
  }
  const refused = refuseAuthority(finding, wish, to, changer);
  if (refused !== undefined) return refused;
  if (to !== finding.status) {
    if (to === 'cold') return refuseStatus(finding, to, 'the lifecycle does that.');
    if (to === 'superseded' && wish.supersededBy === undefined) {
      return refuseStatus(finding, to, 'name the finding that replaces it in superseded_by.');
    }
    if (isStored(finding.status) && to !== 'open') return refuseStatus(finding, to, 'open it first.');
  }
  if (wish.supersededBy !== undefined && finding.status === 'superseded') {
    return refuseStatus(finding, to, `${finding.supersededBy ?? 'another one'} replaces it already.`);
  }
  if (wish.closureClass !== undefined && !isClosed(to)) {
    return refuseFields([broken('closure_class', 'must come with a status that closes: resolved, closed or wont_fix')]);
  }
  const { status: _status, supersededBy, closureClass, closureEvidence, resolutionNotes, ...words } = wish;
  const reopens = !isClosed(to) && !isStored(to) && (isClosed(finding.status) || isStored(finding.status));
  return ok({
    ...words,
    ...(to !== finding.status && { status: to }),
    ...(isClosed(to) && !isClosed(finding.status) && { resolvedAt: now, resolvedBy: changer.id }),
    ...(reopens && {
      resolvedAt: null,
      resolvedBy: null,
      archivedAt: null,
      closureClass: null,
      closureEvidence: null,
      resolutionNotes: null,
      supersededBy: null,
    }),
    ...(to === 'archived' && finding.status !== 'archived' && { archivedAt: now }),
    ...(supersededBy !== undefined && { supersededBy }),
    ...(closureClass !== undefined && { closureClass }),
    ...(closureEvidence !== undefined && { closureEvidence }),
    ...(resolutionNotes !== undefined && { resolutionNotes }),
  });
};

/** Whether `by` can replace `old`: neither is the other, and what replaces is not itself replaced. */
export const refuseSupersession = (by: Finding, old: Pick<Finding, 'id'>): Result<never> | undefined => {
  if (by.id === old.id) return refuseFields([broken('supersedes_id', 'must be another finding')]);
  if (by.status === 'superseded') {
    return refuse('INVALID_STATUS_TRANSITION', `${by.id} is itself superseded, and replaces nothing.`, {
      details: { discovery_id: by.id, superseded_by: by.supersededBy },
      recovery: { action: 'Name the newest finding: superseded_by leads to it.', related_tools: ['knowledge'] },
    });
  }
  return undefined;
};
