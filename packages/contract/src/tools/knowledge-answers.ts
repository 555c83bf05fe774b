import { z } from 'zod';
import { errorCode, isoTime } from './common.ts';
import { FINDING_CLOSURES, FINDING_RESPONSES, FINDING_SEVERITIES, FINDING_STATUSES } from './finding-words.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
/** Present and true, or not there. */
const told = z.literal(true).optional();

const findingId = z.string().describe('The instant of its birth, ISO 8601 to the microsecond');
const writerName = z.string().describe('The name that its writer goes by, as far as the caller may see it');
const findingType = z.string().describe('One of the types that a store takes; findings of elsewhere may have another');
const severity = z.enum(FINDING_SEVERITIES);
const status = z.enum(FINDING_STATUSES);
const responseType = z.enum(FINDING_RESPONSES);

/** A finding in a line. */
const leanFinding = z.object({
  id: findingId,
  type: findingType,
  severity,
  status,
  summary: z.string(),
  score: z.number().optional().describe('search: how well it matches; comparable within one answer only'),
  matched: z
    .array(z.string())
    .optional()
    .describe('search: words of the query that it holds, when it need not hold all'),
  superseded: told,
  superseded_by: findingId.optional(),
  likely_stale: told.describe('It is open, and nobody has touched it for 30 days'),
});

const provenance = {
  // As the server wrote it down when the finding was stored, in the form of that time; `schema` in it names the form.
  provenance: z
    .looseObject({
      writer: z
        .looseObject({ label: z.string() })
        .nullable()
        .describe('What the writer was at the time; session_key stands there for the writer and operators only'),
    })
    .nullable()
    .optional()
    .describe('include_provenance: by which proof its writer was known, and how far the server answers for it'),
  provenance_chain: z
    .array(z.looseObject({ agent_id: z.string(), label: z.string() }))
    .nullable()
    .optional()
    .describe('include_provenance: the ancestors of its writer, nearest first'),
};

/** A finding as far as one needs it to choose. */
const compactFinding = leanFinding.extend({
  tags: z.array(z.string()),
  by: writerName,
  created_at: isoTime,
  ...provenance,
});

/** Everything about a finding but its details. */
const fullFinding = compactFinding.extend({
  agent_id: z.string().describe('As far as the caller may see it'),
  timestamp: isoTime.describe('created_at once more'),
  updated_at: isoTime.nullable(),
  resolved_at: isoTime.nullable(),
  archived_at: isoTime.nullable(),
  confidence: share.nullable().describe('As its writer gave it'),
  references_files: z.array(z.string()),
  related_to: z.array(findingId),
  response_to: z.object({ discovery_id: findingId, response_type: responseType }).nullable(),
  details_length: count.describe('In characters'),
  epoch: z.int(),
  closure_class: z.enum(FINDING_CLOSURES).optional(),
  // What somebody sent as evidence, as it was sent.
  closure_evidence: z.record(z.string(), z.unknown()).optional(),
  resolution_notes: z.string().optional(),
  resolved_by: writerName.optional(),
});

/** Details beside a finding, as far as they were asked for and there is room for them. */
const besideFinding = {
  details: z.string().optional(),
  details_truncated: told,
  details_preview: z.string().optional().describe('Their beginning'),
};

/** A finding of a list: what is there depends on response_mode. */
const listedFinding = leanFinding.extend({ ...fullFinding.partial().shape, ...leanFinding.shape, ...besideFinding });

const readFinding = fullFinding.extend(besideFinding);

const listed = {
  count: count.describe('Findings in this answer'),
  discoveries: z.array(listedFinding),
  results: z.array(listedFinding).describe('discoveries once more'),
};

const clamped = { limit_clamped_from: count.optional().describe('The limit that was asked for, when it was too high') };

export const search = z.object({
  ...listed,
  total_count: count.nullable().describe('null: more match than were compared'),
  search_mode_requested: z.enum(['auto', 'fts']),
  search_mode_used: z.enum(['fts', 'filters']).describe('filters: the call has no query'),
  query: z.string().optional(),
  fields_searched: z.array(z.enum(['summary', 'details', 'tags'])).optional(),
  operator_used: z.enum(['AND', 'OR']).nullable(),
  fallback_used: z.boolean().describe('No finding holds all words, so any of them was enough'),
  explanation: z.string().optional(),
  candidates: z.object({ compared: count, more: z.boolean() }).optional(),
  words_left_out: count.optional().describe('Words of the query beyond those that a search takes'),
  not_searched: z.array(z.string()).optional().describe('Words that are in every text, and symbols alone'),
  limit: count,
  ...clamped,
  low_confidence: told,
  confidence_note: z.string().optional(),
  message: z.string().optional(),
  empty_results_hints: z.array(z.string()).optional().describe('What to try, when nothing was found'),
});

export const get = z.union([
  z
    .object({
      count: z.literal(1),
      discovery_id: findingId,
      discovery: readFinding,
      discoveries: z.array(readFinding),
      results: z.array(readFinding),
    })
    .describe('For a discovery_id'),
  z.object({ ...listed, limit: count, ...clamped }).describe('For an agent'),
]);

const byStatus = z.partialRecord(status, count);
const byType = z.record(z.string(), count);

export const list = z.object({
  ...listed,
  offset: count,
  has_more: z.boolean(),
  next_offset: count.optional(),
  ...clamped,
  total_discoveries: count,
  by_status: byStatus,
  by_type: byType,
});

const responding = { response_type: responseType.nullable(), by: writerName };

export const details = z.object({
  discovery_id: findingId,
  discovery: fullFinding,
  details: z.string().describe('A piece of them, from offset on'),
  offset: count,
  length: count.describe('Characters of this piece'),
  total_length: count,
  has_more: z.boolean(),
  next_offset: count.optional(),
  responses_from: z.array(leanFinding.extend(responding)).describe('Findings that answer this one, oldest first'),
  links: z.array(
    z.object({
      id: findingId,
      link: z.enum(['related_to', 'responds_to', 'supersedes']),
      direction: z.enum(['to', 'from']),
      weight: share.describe('How near the two are'),
      status,
      summary: z.string(),
    }),
  ),
  response_chain: z
    .array(leanFinding.extend({ depth: z.int().describe('Below 0: what this one answers'), ...responding }))
    .optional(),
});

export const stats = z.object({
  total_discoveries: count,
  epoch_scope: z.enum(['current', 'all']),
  including_cold: z.boolean(),
  by_status: byStatus,
  by_type: byType,
  by_severity: z.partialRecord(severity, count),
  by_agent: z.array(z.object({ id: z.string(), name: z.string(), count })),
  top_tags: z.record(z.string(), count),
  lifecycle: z.object({ active: count, archived: count, cold: count }),
});

const bucket = z.enum(['healthy', 'aging', 'stale', 'candidate_for_archive', 'permanent']);

const auditReport = z.object({
  scope: z.enum(['open', 'all', 'by_agent']),
  total: count,
  buckets: z.record(bucket, count),
  bucket_days: z
    .record(bucket.exclude(['permanent']), count)
    .describe('Days that nobody touched a finding, from which on it is in the bucket'),
  top_stale: z.array(leanFinding.extend({ by: writerName, untouched_days: count })),
  by_agent: z.array(z.object({ name: z.string(), buckets: z.partialRecord(bucket, count) })).optional(),
  model_used: z.literal(false),
});

export const audit = auditReport.extend({
  audit: auditReport.extend({ total_audited: count }).describe('The same once more'),
});

const cuts = {
  _truncated: z
    .record(z.string(), z.object({ from: count, to: count }))
    .optional()
    .describe('By argument: how many characters it had, and how many were kept'),
};

const warned = { warnings: z.array(z.string()).optional().describe('What was not taken as it was sent') };

/** What is told of each finding that was stored, beside itself. */
const besideStored = {
  similar: z
    .array(z.object({ id: findingId, summary: z.string(), by: writerName, weight: share }))
    .describe('Findings that share tags with it, nearest first'),
  supersedes: findingId.optional(),
  budget: z.object({ left: count, limit: count, window: z.literal('hour') }).describe('New findings of this writer'),
  _resolve_when_done: z.string().optional().describe('The call that closes it'),
  ...warned,
  ...cuts,
};

export const store = z.union([
  z
    .object({ message: z.string(), discovery_id: findingId, discovery: fullFinding, ...besideStored })
    .describe('One finding'),
  z
    .object({
      message: z.string(),
      stored: count,
      failed: count,
      discovery_ids: z.array(findingId),
      results: z.array(
        z.discriminatedUnion('success', [
          z.object({ index: count, success: z.literal(true), discovery_id: findingId, ...besideStored }),
          // The details of its refusal stand beside these, as they would in a refusal of the whole call.
          z.looseObject({
            index: count,
            success: z.literal(false),
            error_code: errorCode,
            error: z.string(),
            retry_after_seconds: z.int().optional(),
          }),
        ]),
      ),
      ...warned,
    })
    .describe('Several, sent in discoveries: one that is refused keeps no other out'),
]);

export const note = z.object({
  message: z.string(),
  discovery_id: findingId,
  note_id: findingId.describe('discovery_id once more'),
  note: fullFinding,
  ...besideStored,
});

export const update = z.object({
  message: z.string(),
  discovery_id: findingId,
  changed: z.array(z.string()).describe('Fields that have another value now'),
  discovery: fullFinding,
  ...warned,
  ...cuts,
});

export const supersede = z.object({
  message: z.string(),
  discovery_id: findingId.describe('The newer one'),
  supersedes_id: findingId.describe('The older one'),
  superseded: compactFinding.describe('The older one, as it is now'),
});

export const synthesize = z.object({
  dry_run: z.boolean(),
  topics: z.array(
    z.object({
      tag: z.string(),
      members: count,
      severity,
      summary: z.string(),
      unchanged: told.describe('A finding says so already, of the very same findings'),
      discovery_id: findingId.nullable().describe('The finding that says it; null: none was written'),
      supersedes: findingId.nullable().optional().describe('The one before, of other findings'),
    }),
  ),
  synthesized: count,
  model_used: z.literal(false),
  message: z.string().optional(),
});

const tended = z.object({
  dry_run: z.boolean(),
  discoveries_archived: count,
  discoveries_to_cold: count,
  ephemeral_archived: count,
  tags_canonicalized: count,
  skipped_permanent: count,
  discoveries_deleted: z.literal(0).describe('Nothing is deleted'),
  complete: z.boolean().describe('Nothing was left to look at when the run ended'),
  errors: z.array(z.never()).describe('Empty: a run that fails is a refusal'),
});

export const cleanup = tended.extend({ message: z.string(), cleanup_result: tended.describe('The same once more') });
