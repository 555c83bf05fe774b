import { isObject } from '../../runtime/index.ts';

type Json = Readonly<Record<string, unknown>>;

/** What evidence says of the work it belongs to; `unknown`: neither, so that nothing can be learned from it. */
type Says = 'pass' | 'fail' | 'unknown';

/** What a detail says, and the paths of the fields that say so. */
export interface EvidenceReading {
  readonly says: Says;
  readonly fields: readonly string[];
}

/** A key as a reader would take it: no case, no separators, no look-alike forms. */
const fold = (key: string): string =>
  key
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

const EXIT_CODES = new Set(['exitcode', 'exitstatus', 'returncode']);
/** Keys that count failures as a number, and state one as a flag. */
const FAILURES = new Set([
  'failed',
  'fail',
  'fails',
  'failure',
  'failures',
  'failing',
  'errors',
  'errored',
  'testsfailed',
  'failedtests',
  'failedcount',
  'failurecount',
  'failurescount',
  'numfailed',
  'numfailedtests',
  'errorcount',
  'numerrors',
]);
/** Keys that count successes as a number, and state one as a flag. */
const PASSES = new Set([
  'passed',
  'pass',
  'passes',
  'passing',
  'testspassed',
  'passedtests',
  'passedcount',
  'numpassed',
  'numpassedtests',
]);
/** Flags only: a number under these names may be a limit or a duration. */
const BAD_FLAGS = new Set([
  'isbad',
  'timedout',
  'timeout',
  'cancelled',
  'canceled',
  'aborted',
  'crashed',
  'killed',
  'broken',
]);
const GOOD_FLAGS = new Set(['success', 'succeeded', 'successful', 'ok', 'green']);
const WORDS = new Set(['result', 'results', 'status', 'outcome', 'conclusion', 'state', 'verdict', 'testresult']);
/** Texts that describe a failure when there is one. They weigh less than an exit code: tools write noise to stderr. */
const ERROR_TEXTS = new Set(['error', 'errormessage', 'exception', 'signal', 'traceback']);
/** Parts that tell of another run, or of what was asked for. */
const OF_OTHERS = new Set([
  'before',
  'previous',
  'baseline',
  'expected',
  'env',
  'environment',
  'config',
  'args',
  'input',
  'log',
]);

const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const FAILING =
  /(^|[^\p{L}])(fail(s|ed|ing|ure|ures)?|errors?|errored|exceptions?|boom|red|time[ds]?[ -]?out|timeout|cancell?ed|aborted|crash(es|ed)?|killed|broken|rejected|denied|panic(ked)?|fatal|bad|ko|unsuccessful|incomplete|unstable|regress(ed|ions?))($|[^\p{L}])/u;
const PASSING =
  /(^|[^\p{L}])(pass(es|ed|ing)?|ok|okay|success(ful|fully)?|succeeded|green|done|good|clean|fixed)($|[^\p{L}])/u;
const DENIED =
  /(^|[^\p{L}])(not|never|didn['’]?t|don['’]?t|doesn['’]?t|isn['’]?t|un)[ -]*((all|quite|yet|even) )?(pass|ok|succe|success|green|done|complete|good|clean)/u;
/** "0 failed", "no errors", "failures: 0": the words of a success. */
const NONE_FAILED =
  /(^|[^\p{L}\d.])(0|no|zero|without( any)?) (tests? )?(fail(ed|ing|ures?)?|errors?|regressions?)|(fail(ed|ing|ures?)?|errors?) ?[:=] ?0(?![\d.])/gu;
const RATIO = /(\d+) ?\/ ?(\d+)/u;

/** What a short text says: a failure named anywhere in it wins. */
const textSays = (value: string): Says => {
  const text = value.normalize('NFKC').toLowerCase().replaceAll('_', ' ').trim().slice(0, 2000);
  const ratio = RATIO.exec(text);
  const cleared = text.replaceAll(NONE_FAILED, ' ');
  if (FAILING.test(cleared) || DENIED.test(cleared)) return 'fail';
  if (ratio !== null && PASSING.test(cleared)) return Number(ratio[1]) < Number(ratio[2]) ? 'fail' : 'pass';
  if (cleared !== text || PASSING.test(cleared)) return 'pass';
  return 'unknown';
};

const asFlag = (value: unknown): boolean | undefined => {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim().toLowerCase();
  if (text === 'true' || text === 'yes') return true;
  return text === 'false' || text === 'no' ? false : undefined;
};

/** A count, also as text or as the list of what was counted. */
const asNumber = (value: unknown): number | undefined => {
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !NUMBER.test(value.trim())) return undefined;
  return Number(value.trim());
};

const of = (good: boolean | undefined): Says => (good === undefined ? 'unknown' : good ? 'pass' : 'fail');

/** A flag, else a count, else words: what `value` says under a key that names successes (`good`) or failures. */
const countSays = (value: unknown, good: boolean): Says => {
  const flag = asFlag(value);
  if (flag !== undefined) return of(flag === good);
  const count = asNumber(value);
  // Nothing passed is no failure of itself: there may have been nothing to run.
  if (count !== undefined) return good ? of(count > 0 ? true : undefined) : of(count === 0);
  return typeof value === 'string' ? textSays(good ? value : value.replace(/^\d+$/u, '')) : 'unknown';
};

const exitSays = (value: unknown): Says => {
  const code = Array.isArray(value) ? undefined : asNumber(value);
  return code === undefined ? 'unknown' : of(code === 0);
};

const wordSays = (value: unknown): Says => {
  const flag = asFlag(value);
  if (flag !== undefined) return of(flag);
  return typeof value === 'string' ? textSays(value) : 'unknown';
};

/** One field's word; `weak` ones count only where no exit code speaks. */
const fieldSays = (
  key: string,
  value: unknown,
): { readonly says: Says; readonly weak: boolean; readonly exit: boolean } => {
  const folded = fold(key);
  const strong = (says: Says, exit = false) => ({ says, weak: false, exit });
  const weak = (says: Says) => ({ says, weak: true, exit: false });
  if (EXIT_CODES.has(folded)) return strong(exitSays(value), true);
  if (FAILURES.has(folded)) return strong(countSays(value, false));
  if (PASSES.has(folded)) return strong(countSays(value, true));
  if (BAD_FLAGS.has(folded)) {
    const flag = asFlag(value);
    return strong(of(flag === undefined ? undefined : !flag));
  }
  if (GOOD_FLAGS.has(folded)) return strong(wordSays(value));
  if (WORDS.has(folded)) return strong(wordSays(value));
  if (ERROR_TEXTS.has(folded)) {
    const isNone = value === false || (typeof value === 'string' && /^(\s*|none|null|no|false)$/iu.test(value));
    return weak(isNone || value === null || value === undefined || value === 0 ? 'unknown' : 'fail');
  }
  if (folded === 'score') {
    const score = Array.isArray(value) ? undefined : asNumber(value);
    return weak(score === undefined || score < 0 || score > 1 || score === 0.5 ? 'unknown' : of(score > 0.5));
  }
  return strong('unknown');
};

/**
 * Reads what evidence says of its work (BW-outcomes.05): exit codes, counts, words and flags, as numbers or as text, at
 * the top and in objects one level below. A failure wins over every success beside it, since a run with one failure in it
 * has failed; an error text and a score count only where no exit code speaks. Anything else is `unknown`, never a
 * success.
 */
export const readEvidence = (detail: Json): EvidenceReading => {
  const found: { path: string; says: Says; weak: boolean }[] = [];
  let hasExit = false;
  const look = (object: Json, under: string): void => {
    for (const [key, value] of Object.entries(object)) {
      const path = under === '' ? key : `${under}.${key}`;
      const { says, weak, exit } = fieldSays(key, value);
      if (says !== 'unknown') {
        found.push({ path, says, weak });
        hasExit ||= exit;
      } else if (under === '' && isObject(value) && !OF_OTHERS.has(fold(key))) look(value, key);
    }
  };
  look(detail, '');
  const counted = found.filter(({ weak }) => !weak || !hasExit);
  const says = counted.some((one) => one.says === 'fail') ? 'fail' : counted.length > 0 ? 'pass' : 'unknown';
  return { says, fields: counted.filter((one) => one.says === says).map(({ path }) => path) };
};

/** What a detail says; see {@link readEvidence}. */
export const evidenceSays = (detail: Json): Says => readEvidence(detail).says;

/** Whether the field itself says pass or fail. */
export const isResultField = (detail: Json, key: string): boolean =>
  Object.hasOwn(detail, key) && fieldSays(key, detail[key]).says !== 'unknown';
