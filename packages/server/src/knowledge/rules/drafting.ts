import { ok, type FieldProblem, type Result } from '@breakwater/contract';
import type { ResponseTo, Severity } from './finding.ts';
import { broken, missing, refuseFields } from './problems.ts';
import { lostTags, normalTags, stringsOf } from './tags.ts';
import { bounded, DETAILS_LIMIT, leakedMarkup, SUMMARY_LIMIT, type Cut } from './text.ts';
import { understandResponseType, understandSeverity, understandType, type Understood } from './vocabulary.ts';

/** A finding that somebody wants to store, after it was understood. */
export interface Draft {
  readonly type: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly details: string | null;
  readonly tags: readonly string[];
  readonly files: readonly string[];
  readonly confidence: number | null;
  readonly responseTo: ResponseTo | null;
  /** The older finding that this one replaces. */
  readonly supersedes: string | null;
  readonly linkRelated: boolean;
  readonly truncated: Readonly<Record<string, Cut>>;
  /** What was understood otherwise than it was said. */
  readonly warnings: readonly string[];
}

type Raw = Readonly<Record<string, unknown>>;

const MOST_FILES = 50;
const LONGEST_FILE = 500;
const LONGEST_ID = 64;

/** Other names of arguments inside an item of a batch; of two the first that is there counts. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  summary: ['summary', 'discovery', 'insight', 'finding', 'text', 'message', 'note', 'learning', 'observation'],
  details: ['details', 'content'],
  discovery_type: ['discovery_type', 'type', 'kind', 'category'],
  related_files: ['related_files', 'files', 'references_files'],
};

const present = (value: unknown): boolean => value !== undefined && value !== null;

const named = (raw: Raw, name: string): unknown => {
  for (const other of NAMES[name] ?? [name]) if (present(raw[other])) return raw[other];
  return undefined;
};

/** Collects what is wrong, so that a caller hears of all of it at once. */
class Reading {
  readonly problems: FieldProblem[] = [];
  readonly truncated: Record<string, Cut> = {};
  readonly #raw: Raw;

  constructor(raw: Raw) {
    this.#raw = raw;
  }

  value(name: string): unknown {
    return named(this.#raw, name);
  }

  text(name: string, most: number): string | null {
    const given = this.value(name);
    if (given === undefined) return null;
    if (typeof given !== 'string') {
      this.problems.push({ field: name, message: 'must be a string', type: 'type' });
      return null;
    }
    const { text, cut } = bounded(given.trim(), most);
    if (cut !== undefined) this.truncated[name] = cut;
    const leak = leakedMarkup(text);
    if (leak !== undefined) {
      this.problems.push({
        ...broken(name, 'must not hold the markup of a tool call: another argument has slipped into this one'),
        given: leak,
      });
    }
    return text === '' ? null : text;
  }

  word<T>(name: string, understand: (given: unknown) => Understood<T>): T | undefined {
    const given = this.value(name);
    if (given === undefined) return undefined;
    const understood = understand(given);
    if (understood.ok) return understood.value;
    this.problems.push(understood.problem);
    return undefined;
  }

  id(name: string): string | null {
    const given = this.value(name);
    if (given === undefined || given === '') return null;
    if (typeof given === 'string' && given.length <= LONGEST_ID) return given.trim();
    this.problems.push(broken(name, 'must be the id of a finding'));
    return null;
  }

  confidence(): number | null {
    const given = this.value('confidence');
    if (given === undefined) return null;
    const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
    if (typeof number === 'number' && number >= 0 && number <= 1) return number;
    this.problems.push({ field: 'confidence', message: 'must be a number from 0 to 1', type: 'range' });
    return null;
  }

  responseTo(): ResponseTo | null {
    const given = this.value('response_to');
    if (given === undefined) return null;
    if (typeof given === 'string') return given.trim() === '' ? null : { id: given.trim(), type: 'extend' };
    const { discovery_id: id, response_type: type } = given as Raw;
    if (typeof id !== 'string' || id.trim() === '' || id.length > LONGEST_ID) {
      this.problems.push(missing('response_to.discovery_id', 'must be the id of a finding'));
      return null;
    }
    if (!present(type)) return { id: id.trim(), type: 'extend' };
    const understood = understandResponseType(type, 'response_to.response_type');
    if (understood.ok) return { id: id.trim(), type: understood.value };
    this.problems.push(understood.problem);
    return null;
  }
}

/**
 * Understands what is to be stored: one finding, as the arguments of a call or an item of a batch give it. Every text is
 * bounded, and what was cut off is told; everything that is wrong is named at once (BW-knowledge.01).
 */
export const draftOf = (raw: Raw, kind: 'finding' | 'note'): Result<Draft> => {
  const reading = new Reading(raw);
  const warnings: string[] = [];
  const summary = reading.text('summary', SUMMARY_LIMIT);
  if (summary === null && !reading.problems.some(({ field }) => field === 'summary')) {
    reading.problems.push(missing('summary', 'is required: say in one sentence what was found'));
  }
  const details = reading.text('details', DETAILS_LIMIT);
  const type = reading.word('discovery_type', understandType);
  if (type === undefined && kind === 'finding' && reading.value('discovery_type') === undefined) {
    warnings.push('discovery_type was not given: stored as note');
  }
  const severity = reading.word('severity', understandSeverity) ?? 'low';
  const { tags, left, lost } = normalTags(reading.value('tags'));
  warnings.push(...lostTags(lost));
  if (left > 0) warnings.push(`${left} tags beyond the first 50 were left out`);
  const paths = stringsOf(reading.value('related_files'));
  const files = paths.filter((path) => path.length <= LONGEST_FILE).slice(0, MOST_FILES);
  if (files.length < paths.length) {
    warnings.push(`${paths.length - files.length} related_files were left out: 50 at most, of 500 characters each`);
  }
  const responseTo = reading.responseTo();
  const supersedes = reading.id('supersedes') ?? (responseTo?.type === 'supersedes' ? responseTo.id : null);
  const confidence = reading.confidence();
  if (reading.problems.length > 0 || summary === null) return refuseFields(reading.problems);
  return ok({
    type: type ?? 'note',
    severity,
    summary,
    details,
    tags,
    files: files.map((path) => bounded(path, LONGEST_FILE).text),
    confidence,
    responseTo,
    supersedes,
    linkRelated: reading.value('auto_link_related') !== false && reading.value('auto_link_related') !== 'false',
    truncated: reading.truncated,
    warnings,
  });
};
