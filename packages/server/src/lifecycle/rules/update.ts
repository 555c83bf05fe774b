import { ok, AUDIT_EVENTS, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { AgentHead, AuditDraft } from '../../agents/index.ts';
import { unseenIn, type ProofSource } from '../../runtime/index.ts';
import { reservedAdditions } from './reserved-tags.ts';
import type { Hold } from '../../agents/agent.ts';
import { authorityOver, mayAct, operatorOf, type Actor, type Authority, type StandingChange } from './authority.ts';
import { reactivate } from './standing.ts';

/** What the caller wants of a record; absent: stays as it is. */
export interface ProfileUpdate {
  /** The whole list. */
  readonly tags?: readonly string[];
  readonly notes?: string;
  /** Adds `notes` as a line to the stored ones instead of replacing them. */
  readonly appendNotes?: boolean;
  readonly purpose?: string;
  readonly preferences?: Readonly<Record<string, unknown>>;
  readonly status?: string;
}

const ENDS: readonly AgentHead['status'][] = ['archived', 'disabled', 'deleted'];
const MOST_TAGS = 32;
/** Letters and digits of all scripts. */
const TAG = /^[\p{L}\p{M}\p{N}_.:-]{1,64}$/u;
const MOST_NOTES = 8000;
const MOST_PURPOSE = 1000;
const VERBOSITIES = ['minimal', 'compact', 'standard', 'full', 'auto'];

type Refused = { readonly ok: false; readonly refusal: Refusal };

const preview = (text: string): string => JSON.stringify(text.slice(0, 80));

const refuseParameter = (parameter: string, rule: string): Refused =>
  refuse('PARAMETER_ERROR', `${parameter}: ${rule}.`, { details: { parameter } });

const decideTags = (
  authority: Authority,
  held: readonly string[],
  wanted: readonly string[],
): Result<readonly string[]> => {
  const tags = [...new Set(wanted.map((tag) => tag.normalize('NFC')))];
  if (tags.length > MOST_TAGS) return refuseParameter('tags', `must be at most ${MOST_TAGS}`);
  const bad = tags.filter((tag) => !TAG.test(tag) || unseenIn(tag) !== undefined);
  if (bad.length > 0) {
    const rule = 'each must be 1 to 64 letters and digits, of any script, or any of _ . : -';
    return refuse('PARAMETER_ERROR', `tags: ${rule}; not so ${bad.map(preview).join(', ')}.`, {
      details: { parameter: 'tags', tags: bad },
    });
  }
  const reserved = authority.by === 'operator' ? [] : reservedAdditions(held, tags);
  if (reserved.length === 0) return ok(tags);
  return refuse('FORBIDDEN', `An agent cannot give itself the tag ${reserved.join(', ')}.`, {
    details: { parameter: 'tags', tags: reserved },
    recovery: { action: 'Leave the tag out, or ask an operator to add it.' },
  });
};

const decideNotes = (notes: string, stored: string | null | undefined): Result<string> => {
  const whole = stored == null || stored === '' ? notes : `${stored}\n${notes}`;
  return whole.length <= MOST_NOTES
    ? ok(whole)
    : refuseParameter('notes', `would be ${whole.length} characters long, at most ${MOST_NOTES} are kept`);
};

const refusePreferences = (preferences: Readonly<Record<string, unknown>>): Refused | undefined => {
  for (const [name, value] of Object.entries(preferences)) {
    if (name === 'verbosity' && typeof value === 'string' && VERBOSITIES.includes(value)) continue;
    return refuse('INVALID_PREFERENCE', `The one preference is verbosity: one of ${VERBOSITIES.join(', ')}.`, {
      details: { preference: name, allowed: VERBOSITIES },
    });
  }
  return undefined;
};

type Profile = Pick<StandingChange, 'tags' | 'notes' | 'purpose' | 'preferences'>;

const decideProfile = (
  authority: Authority,
  target: AgentHead,
  wanted: ProfileUpdate,
  storedNotes: string | null,
): Result<Profile> => {
  const tags = wanted.tags && decideTags(authority, target.tags, wanted.tags);
  if (tags?.ok === false) return tags;
  const notes =
    wanted.notes === undefined
      ? undefined
      : decideNotes(wanted.notes, wanted.appendNotes === true ? storedNotes : undefined);
  if (notes?.ok === false) return notes;
  if (wanted.purpose !== undefined && wanted.purpose.length > MOST_PURPOSE) {
    return refuseParameter('purpose', `must be at most ${MOST_PURPOSE} characters`);
  }
  const preferences = wanted.preferences && refusePreferences(wanted.preferences);
  if (preferences !== undefined) return preferences;
  return ok({
    ...(tags !== undefined && { tags: tags.value }),
    ...(notes !== undefined && { notes: notes.value }),
    ...(wanted.purpose !== undefined && { purpose: wanted.purpose }),
    ...(wanted.preferences !== undefined && { preferences: wanted.preferences }),
  });
};

const updated = (authority: Authority, target: AgentHead, profile: Profile, reason: string | null): AuditDraft => ({
  type: AUDIT_EVENTS.agentUpdated,
  payload: {
    ...authority,
    ...(reason !== null && { reason }),
    changed: Object.keys(profile),
    ...(profile.tags !== undefined && {
      tags_added: profile.tags.filter((tag) => !target.tags.includes(tag)),
      tags_removed: target.tags.filter((tag) => !(profile.tags ?? []).includes(tag)),
    }),
  },
});

/**
 * Changes an agent's own record: by itself or by an operator. An agent cannot give itself a reserved tag, but keeps one
 * that it holds. `status` can only be active, and brings an archived agent back under the rules of {@link reactivate};
 * without it the record of an agent whose life is over stays as it is. All of the update holds, or none.
 * `storedNotes`: the notes so far, which an addition is made to.
 */
export const update = (
  actor: Actor,
  target: AgentHead,
  wanted: ProfileUpdate,
  {
    storedNotes,
    proof,
    hold,
    reason = null,
  }: {
    readonly storedNotes: string | null;
    readonly proof: ProofSource | 'none';
    /** What holds the agent. */
    readonly hold: Hold | undefined;
    readonly reason?: string | null;
  },
): Result<StandingChange> => {
  let returning: StandingChange | undefined;
  let capacity: Authority | undefined;
  if (wanted.status !== undefined) {
    const known = authorityOver(actor, target);
    if (!known.ok) return known;
    const { status } = target;
    if (wanted.status !== 'active' || !ENDS.includes(status)) {
      return refuse('INVALID_STATUS_TRANSITION', 'status: can only be set to active, and only on an archived agent.', {
        details: { status, requested: wanted.status },
      });
    }
    const back = reactivate(actor, target, { explicit: true, proof });
    if (!back.ok) return back;
    returning = back.value;
    capacity = operatorOf(actor) ?? known.value;
  } else {
    const authority = mayAct('update', actor, target, hold);
    if (!authority.ok) return authority;
    capacity = operatorOf(actor) ?? authority.value;
  }
  const profile = decideProfile(capacity, target, wanted, storedNotes);
  if (!profile.ok) return profile;
  if (Object.keys(profile.value).length === 0) {
    return returning === undefined
      ? refuse('PARAMETER_ERROR', 'Nothing to change: send tags, notes, purpose, preferences or status.')
      : ok(returning);
  }
  const event = updated(capacity, target, profile.value, reason);
  return ok({
    ...returning,
    ...profile.value,
    events: returning === undefined ? [event] : [...returning.events, event],
  });
};
