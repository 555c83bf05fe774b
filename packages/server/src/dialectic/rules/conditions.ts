import { ok, refuse, type Result } from '@breakwater/contract';
import { HOUR_MS } from '../../runtime/index.ts';

/** Letters, digits of every script, and the underscore: what makes up a word here. */
const WORD = String.raw`[\p{L}\p{N}_]`;
const TARGET = String.raw`(?<target>${WORD}+)`;
const NUMBER = String.raw`(?<number>[\p{Nd}.]+)`;
const VERBS = 'reduce|increase|set|lower|raise|monitor|keep|limit';

const rule = (...parts: readonly string[]): RegExp => new RegExp(parts.join(String.raw`\s+`), 'iu');

/** The grammar (spec dialectic E.2): the first rule that is found anywhere in the text reads it. */
const RULES: readonly RegExp[] = [
  rule('(?<verb>reduce|increase|set|lower|raise)', TARGET, 'to', NUMBER),
  // A unit is a whole word: two months are not two minutes.
  rule('(?<verb>monitor)', 'for', String.raw`${NUMBER}\s?(?<unit>hours?|hrs?|h|minutes?|mins?|m)(?!${WORD})`),
  rule('(?<verb>keep)', TARGET, '(?<bound>below|above|under|over)', NUMBER),
  rule('(?<verb>limit)', TARGET, 'to', NUMBER),
  rule('(?<verb>set)', TARGET, NUMBER),
];

const ACTIONS: Readonly<Record<string, Command['action']>> = {
  reduce: 'reduce',
  lower: 'reduce',
  increase: 'increase',
  raise: 'increase',
  set: 'set',
  monitor: 'monitor',
  keep: 'limit',
  limit: 'limit',
};

const TARGETS: ReadonlyMap<string, string> = new Map([
  ['risk', 'risk_score'],
  ['monitoring', 'monitoring_duration'],
  ['monitor', 'monitoring_duration'],
  ['duration', 'monitoring_duration'],
  ['time', 'monitoring_duration'],
]);

/** A text that the grammar reads. */
export interface Command {
  readonly kind: 'command';
  readonly action: 'reduce' | 'increase' | 'set' | 'monitor' | 'limit';
  /** `complexity`, `risk_score`, `monitoring_duration`, or whatever word stands there. */
  readonly target: string;
  readonly value: number;
  readonly unit: 'hours' | 'minutes' | 'below' | 'above' | null;
  /** The text around what was read. */
  readonly rest: string;
}

/** What a condition text says. `unreadable`: a rule fits, and what stands for its number is none. */
export type Parsed = Command | { readonly kind: 'unreadable'; readonly number: string } | { readonly kind: 'text' };

/** The decimal digits of every script stand in runs of ten, from zero up. */
const asciiDigit = (digit: string): string => {
  const code = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
};

/** NaN for what is no number. The period that ends a sentence is not a part of the number before it. */
const readNumber = (raw: string): number => {
  const digits = raw.replace(/\.+$/u, '').replace(/\p{Nd}/gu, asciiDigit);
  return /^(?:\d+(?:\.\d+)?|\.\d+)$/u.test(digits) ? Number(digits) : Number.NaN;
};

/** What makes a number another one than its digits say: 30 %, 0,3, 0.3-0.5, 1e-3. */
const GOES_ON = new RegExp(String.raw`^(?:\s*(?:%|percent)|[,/:–-]\p{Nd}|${WORD})\S*`, 'iu');

const unitOf = (unit: string | undefined, bound: string | undefined): Command['unit'] => {
  if (unit !== undefined) return unit.toLowerCase().startsWith('h') ? 'hours' : 'minutes';
  if (bound !== undefined) return /^(?:below|under)$/iu.test(bound) ? 'below' : 'above';
  return null;
};

/** Reads one condition text by the grammar (spec dialectic E.2). Case does not matter; targets are single words. */
export const parseCondition = (text: string): Parsed => {
  for (const pattern of RULES) {
    const match = pattern.exec(text);
    if (match?.groups === undefined) continue;
    const { verb = '', target, number = '', unit, bound } = match.groups;
    const after = text.slice(match.index + match[0].length);
    const more = unit === undefined ? (GOES_ON.exec(after)?.[0] ?? '') : '';
    const value = more === '' ? readNumber(number) : Number.NaN;
    if (Number.isNaN(value)) return { kind: 'unreadable', number: `${number}${more}` };
    const word = (target ?? 'monitor').toLowerCase();
    return {
      kind: 'command',
      // The long s matches an s when case is ignored.
      action: ACTIONS[verb.normalize('NFKC').toLowerCase()] ?? 'set',
      target: TARGETS.get(word) ?? word,
      value,
      unit: unitOf(unit, bound),
      rest: `${text.slice(0, match.index)} ${after}`,
    };
  }
  return { kind: 'text' };
};

/** What a condition does: a closed set, so that nothing is stored that nobody enforces. */
export type ConditionTerm =
  /** A check-in's complexity counts as at most this, from 0 to below 1. */
  | { readonly kind: 'complexity_cap'; readonly limit: number }
  /** A risk above this escalates the decision, from 0 to below 1. */
  | { readonly kind: 'risk_target'; readonly limit: number }
  /** Bounds the conditions of its own resolution in time. */
  | { readonly kind: 'monitoring'; readonly durationMs: number }
  /** Plain words: shown, never enforced. */
  | { readonly kind: 'note' };

/** A condition that may stand in a resolution. A `retired` one is answered and not stored. */
export type AcceptedCondition = { readonly text: string } & (ConditionTerm | { readonly kind: 'retired' });

/** A condition as an agent carries it. Times are ms since the epoch, UTC; `expiresAt` null: it stays. */
export type StoredCondition = {
  readonly text: string;
  readonly appliedAt: number;
  readonly expiresAt: number | null;
} & ConditionTerm;

/** What becomes of each kind of condition, in words for those who agreed on it. */
export const CONDITION_NOTICES: Readonly<Record<AcceptedCondition['kind'], string>> = {
  complexity_cap: 'Enforced: the complexity of a check-in counts as at most this.',
  risk_target: 'Enforced: a check-in with a higher risk is escalated.',
  monitoring: 'Enforced: the conditions of this resolution end with this time.',
  note: 'Shown, never enforced: it is plain words.',
  retired: 'Retired: coherence is no longer judged, so the condition is not stored.',
};

/** Newest conditions that an agent carries; older ones give way. */
export const CONDITIONS_KEPT = 20;

const LONGEST_MONITORING_HOURS = 24 * 365;

type Judged = { readonly effect: AcceptedCondition } | { readonly why: string };

const because = (why: string): Judged => ({ why });

const judgeMonitoring = (text: string, { action, value, unit }: Command): Judged => {
  if (action !== 'monitor') return because('a time needs its unit, as in "Monitor for 5 hours"');
  const hours = unit === 'minutes' ? value / 60 : value;
  if (!(hours > 0 && hours <= LONGEST_MONITORING_HOURS)) {
    return because(`monitoring lasts more than 0 and at most ${LONGEST_MONITORING_HOURS} hours`);
  }
  return { effect: { text, kind: 'monitoring', durationMs: Math.round(hours * HOUR_MS) } };
};

const judgeCommand = (text: string, command: Command): Judged => {
  const { action, target, value, unit } = command;
  if (target === 'coherence' || target === 'coherence_threshold') return { effect: { text, kind: 'retired' } };
  if (hasNumber(command.rest)) return because('it holds more than one number, and only one is read; split it');
  if (target === 'monitoring_duration') return judgeMonitoring(text, command);
  if (target !== 'complexity' && target !== 'risk_score') {
    return because(`"${shown(target)}" is not enforced; complexity and risk are`);
  }
  if (action === 'increase' || unit === 'above') return because('only an upper bound is enforced');
  // From 1 on a bound bounds nothing, because neither measure goes higher.
  if (!(value < 1)) return because(`${value} is not from 0 to below 1`);
  return { effect: { text, kind: target === 'complexity' ? 'complexity_cap' : 'risk_target', limit: value } };
};

/** Whether the text holds a number of its own; the 2 of OAuth2 is none. */
const hasNumber = (text: string): boolean => new RegExp(String.raw`(?<!${WORD})\p{Nd}`, 'u').test(text);

const hasVerb = (text: string): boolean => new RegExp(`(?<!${WORD})(?:${VERBS})(?!${WORD})`, 'iu').test(text);

const shown = (text: string): string => {
  const characters = Array.from(text);
  return characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : text;
};

const judge = (text: string): Judged => {
  if (text.trim() === '') return because('it is blank');
  const parsed = parseCondition(text);
  if (parsed.kind === 'command') return judgeCommand(text, parsed);
  if (parsed.kind === 'unreadable') return because(`"${shown(parsed.number)}" is not a number that can be read`);
  if (hasNumber(text) || hasVerb(text)) {
    return because('it holds a number or a command word, and is in no form that can be enforced');
  }
  return { effect: { text, kind: 'note' } };
};

const WAY_OUT = {
  action:
    'Say "Set complexity to 0.4", "Set risk to 0.4" or "Monitor for 24 hours", one each; or plain words without a number ' +
    `or a command word (${VERBS.replaceAll('|', ', ')}), which are shown and not enforced.`,
} as const;

/**
 * Which of the texts may stand as conditions of a resolution: all, or none (BW-dialectic.06). What cannot be read, or
 * would be stored and do nothing, is refused by name with PARAMETER_ERROR; `details.refused` tells every such text and
 * why. Plain words are notes; conditions on coherence are `retired`.
 */
export const acceptConditions = (texts: readonly string[]): Result<readonly AcceptedCondition[]> => {
  const details = { parameter: 'proposed_conditions' };
  if (texts.length > CONDITIONS_KEPT) {
    return refuse('PARAMETER_ERROR', `proposed_conditions: at most ${CONDITIONS_KEPT}, because no more are kept.`, {
      details,
    });
  }
  const accepted: AcceptedCondition[] = [];
  const refused: { readonly condition: string; readonly why: string }[] = [];
  for (const text of texts) {
    const judged = judge(text);
    if ('why' in judged) refused.push({ condition: text, why: judged.why });
    else accepted.push(judged.effect);
  }
  const [first] = refused;
  if (first === undefined) return ok(accepted);
  return refuse('PARAMETER_ERROR', `proposed_conditions: "${shown(first.condition)}": ${first.why}.`, {
    details: { ...details, refused },
    recovery: WAY_OUT,
  });
};

/** Whether a condition still counts: up to its end, and no longer at it. */
export const isInForce = ({ expiresAt }: StoredCondition, now: number): boolean =>
  expiresAt === null || now < expiresAt;

/**
 * What an agent carries once a resolution is applied to it, oldest first: what is still in force of what it carried, and
 * the conditions of the resolution; the newest {@link CONDITIONS_KEPT} of them. Monitoring ends by itself, and the first
 * one of a resolution ends the resolution's other conditions with it. It does not touch those of an earlier resolution:
 * agreeing on an hour of monitoring is not agreeing to lift them.
 */
export const storeConditions = (
  carried: readonly StoredCondition[],
  accepted: readonly AcceptedCondition[],
  now: number,
): readonly StoredCondition[] => {
  const terms = accepted.filter((condition) => condition.kind !== 'retired');
  const monitoring = terms.find((term) => term.kind === 'monitoring');
  const siblingsEnd = monitoring === undefined ? null : now + monitoring.durationMs;
  const added = terms.map((term): StoredCondition => ({
    ...term,
    appliedAt: now,
    expiresAt: term.kind === 'monitoring' ? now + term.durationMs : siblingsEnd,
  }));
  return [...carried.filter((condition) => isInForce(condition, now)), ...added].slice(-CONDITIONS_KEPT);
};
