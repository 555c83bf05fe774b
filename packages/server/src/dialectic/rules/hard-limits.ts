import { isBlank, WORD } from './text.ts';

/** Words that, in this order in one line, ask for what no review can grant. The first that is found decides. */
const FORBIDDEN = [
  [['disable', 'governance'], 'Cannot disable governance system'],
  [['bypass', 'safety'], 'Cannot bypass safety checks'],
  [['remove', 'monitor'], 'Cannot remove monitoring'],
  [['unlimited', 'risk'], 'Cannot allow unlimited risk'],
  [['skip', 'check'], 'Cannot skip safety checks'],
  [['ignore', 'threshold'], 'Cannot ignore thresholds'],
  [['disable', 'circuit', 'breaker'], 'Cannot disable circuit breaker'],
  [['remove', 'limit'], 'Cannot remove safety limits'],
] as const;

const MAX_RISK = 0.9;
const MIN_COHERENCE = 0.1;
const MAX_COHERENCE = 1;
const COHERENCE_MARKS = ['threshold', '<', '='] as const;

/** Sessions that bring an agent back at once; for the others a loose word does no harm. */
const STRICT_SESSIONS: ReadonlySet<string> = new Set(['recovery', 'review', 'dispute']);
const VAGUE = /^(?:maybe|perhaps|try|consider)/;

/**
 * Where a run of words ends that stand in this order, at or after `from`; -1: they do not. A search by words and no
 * regular expression, since three gaps in one make it cubic in a text that the caller chooses.
 */
const endOf = (line: string, words: readonly string[], from = 0): number => {
  let end = from;
  for (const word of words) {
    const at = line.indexOf(word, end);
    if (at === -1) return -1;
    end = at + word.length;
  }
  return end;
};

/** The numbers that follow the words: each the first after the earliest run, and the next run begins behind it. */
function* numbersAfter(line: string, words: readonly string[]): Generator<number> {
  const number = new RegExp(`(?<!${WORD})[0-9]+(?:\\.[0-9]+)?(?!${WORD})`, 'gu');
  for (let end = endOf(line, words); end !== -1; end = endOf(line, words, number.lastIndex)) {
    number.lastIndex = end;
    const found = number.exec(line);
    if (found === null) return;
    yield Number(found[0]);
  }
}

/** A number as the reasons spell it: with a fraction always, with an exponent from 1e16 up and below 1e-4. */
const spelled = (value: number): string => {
  if (value === Infinity) return 'inf';
  if (value !== 0 && (value >= 1e16 || value < 1e-4)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
};

const riskViolation = (value: number): string | undefined =>
  value <= 1 && value > MAX_RISK ? `Risk threshold ${spelled(value)} exceeds maximum allowed (0.90)` : undefined;

const coherenceViolation = (value: number): string | undefined => {
  if (value < MIN_COHERENCE) return `Coherence threshold ${spelled(value)} is too low (minimum 0.1)`;
  if (value > MAX_COHERENCE) return `Coherence threshold ${spelled(value)} exceeds maximum (1.0)`;
  return undefined;
};

const firstViolation = (
  lines: readonly string[],
  words: readonly string[],
  violation: (value: number) => string | undefined,
): string | undefined => {
  for (const line of lines) {
    for (const value of numbersAfter(line, words)) {
      const reason = violation(value);
      if (reason !== undefined) return reason;
    }
  }
  return undefined;
};

/**
 * What makes a resolution unsafe, by whatever path it came about (spec dialectic C.6, BW-dialectic.05): the first reason,
 * or undefined when it keeps the limits. The conditions are read as one text, so that a ban holds across them too.
 */
export const unsafeReason = (
  { conditions, rootCause }: { readonly conditions: readonly string[]; readonly rootCause: string | null },
  sessionType: string,
): string | undefined => {
  const lines = conditions.join(' ').toLowerCase().split('\n');
  for (const [words, reason] of FORBIDDEN) if (lines.some((line) => endOf(line, words) !== -1)) return reason;
  const risk = firstViolation(lines, ['risk', 'threshold'], riskViolation);
  if (risk !== undefined) return risk;
  for (const mark of COHERENCE_MARKS) {
    const coherence = firstViolation(lines, ['coherence', mark], coherenceViolation);
    if (coherence !== undefined) return coherence;
  }
  if (conditions.length === 0) return 'Resolution must include at least one condition';
  if (!STRICT_SESSIONS.has(sessionType)) return undefined;
  const vague = conditions.find((condition) => VAGUE.test(condition.toLowerCase()));
  if (vague !== undefined) return `Condition too vague: '${vague}'`;
  return isBlank(rootCause) ? 'Root cause is missing entirely' : undefined;
};
