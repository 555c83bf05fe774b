import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { boundedJson, flag, identityArguments, prose, wholeNumber, word } from './common.ts';
import * as answers from './knowledge-answers.ts';

const hidden = { hidden: true } as const;

/** One of some words. The feature checks it, so that its refusal can say which word was meant. */
const term = (description: string) => z.string().max(64).nullish().describe(description);

const text = (most: number, description: string) => prose(z.string().max(most).nullish().describe(description));
const id = (description: string) => z.string().trim().max(64).nullish().describe(description);

/** A list, also as its JSON or with commas between. */
const words = (description: string) =>
  z
    .union([z.array(z.string().max(200)).max(100), z.string().max(4000), z.null()])
    .optional()
    .describe(description)
    .meta({ wire: { type: 'array', items: { type: 'string' } } });

export const knowledge = toolSpec({
  name: 'knowledge',
  category: 'knowledge',
  description: 'Findings that agents share: search them before work, store what others should know.',
  input: z.looseObject({
    ...identityArguments,
    action: word(
      [
        'search',
        'store',
        'note',
        'get',
        'list',
        'details',
        'update',
        'supersede',
        'stats',
        'audit',
        'synthesize',
        'cleanup',
      ],
      'What to do; search by default',
    ),
    query: text(8000, 'search'),
    summary: text(200_000, 'store, note, update'),
    details: text(1_000_000, 'store, update'),
    discovery_type: term('store, search: note, insight, bug_found, learning, …'),
    severity: term('low, medium, high, critical'),
    tags: words('search: any of them'),
    discovery_id: id('details, update, supersede'),
    status: term('update, search: open, resolved, wont_fix, …'),
    resolution_notes: text(4000, 'update: what came of it').meta(hidden),
    supersedes_id: id('supersede: the older finding that discovery_id replaces').meta(hidden),
    limit: wholeNumber(1, 1_000_000, 'search, get, list: 100 at most').meta({ wire: { type: 'integer' } }),
    response_mode: word(['compact', 'full', 'lean'], 'How much is said of each; compact by default').meta(hidden),
    content: text(1_000_000, 'details of a store or an update, summary of a note, query of a search').meta(hidden),
    text: text(200_000, 'summary of a store, a note or an update, query of a search').meta(hidden),
    // Each one is checked by itself, so that a bad one does not keep the others out.
    discoveries: z.array(z.record(z.string(), z.unknown())).min(1).max(10).nullish().meta(hidden),
    related_files: words('store: paths').meta(hidden),
    confidence: z
      .union([z.number(), z.string().max(64), z.null()])
      .optional()
      .meta(hidden),
    response_to: z
      .union([
        z.string().max(64),
        z.strictObject({ discovery_id: z.string().max(64), response_type: z.string().max(64).nullish() }),
        z.null(),
      ])
      .optional()
      .meta(hidden),
    supersedes: id('store: the older finding that it replaces').meta(hidden),
    auto_link_related: flag('store: link findings with the same tags, true by default').meta(hidden),
    idempotency_key: z.string().min(1).max(128).optional().meta(hidden),
    closure_class: term('update: why it is closed').meta(hidden),
    closure_evidence: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    superseded_by: id('update: the finding that replaces it').meta(hidden),
    search_mode: word(['auto', 'fts', 'semantic', 'hybrid'], 'search: auto or fts').meta(hidden),
    semantic: flag('search').meta(hidden),
    operator: z
      .preprocess(
        (value) => (typeof value === 'string' ? value.trim().toUpperCase() : value),
        z.enum(['AND', 'OR']).nullish(),
      )
      .meta(hidden),
    sort_by: word(['relevance', 'created_at'], 'search').meta(hidden),
    agent_id_filter: z.string().trim().max(128).nullish().meta(hidden),
    created_after: z.string().trim().max(64).nullish().meta(hidden),
    created_before: z.string().trim().max(64).nullish().meta(hidden),
    exclude_agent_labels: words('search: not by agents of these names').meta(hidden),
    include_archived: flag('search, get, list').meta(hidden),
    include_cold: flag('search, get, list').meta(hidden),
    including_cold: flag('stats, list').meta(hidden),
    include_details: flag('search, get: with the details').meta(hidden),
    include_provenance: flag('search, get, details: with who wrote it under which proof').meta(hidden),
    epoch_scope: word(['current', 'all'], 'stats, list').meta(hidden),
    offset: wholeNumber(0, 10_000_000, 'list: findings to leave out; details: first character').meta(hidden),
    length: wholeNumber(1, 20_000, 'details: characters, 2,000 by default').meta(hidden),
    include_response_chain: flag('details').meta(hidden),
    max_chain_depth: wholeNumber(1, 20, 'details: 10 by default').meta(hidden),
    dry_run: flag('synthesize, cleanup: only look, true by default').meta(hidden),
    topic: z.string().max(200).nullish().meta(hidden),
    min_members: wholeNumber(3, 1000, 'synthesize: findings that make a tag dense, 5 by default').meta(hidden),
    scope: word(['open', 'all', 'by_agent'], 'audit: open by default').meta(hidden),
    top_n: wholeNumber(1, 100, 'audit: how many are named, 10 by default').meta(hidden),
  }),
  defaultAction: 'search',
  actions: {
    search: { readOnly: true, output: answers.search },
    store: { output: answers.store },
    note: { output: answers.note },
    get: { readOnly: true, output: answers.get },
    list: { readOnly: true, output: answers.list },
    details: { readOnly: true, output: answers.details },
    update: { output: answers.update },
    supersede: { output: answers.supersede },
    stats: { readOnly: true, output: answers.stats },
    audit: { readOnly: true, output: answers.audit },
    synthesize: { output: answers.synthesize },
    cleanup: { output: answers.cleanup },
  },
  identity: 'open',
  timeoutMs: 30_000,
  advertised: true,
  readOnly: false,
  agentIdIsTarget: true,
  argumentAliases: {
    op: 'action',
    search: 'query',
    term: 'query',
    find: 'query',
    discovery: 'summary',
    insight: 'summary',
    finding: 'summary',
    message: 'summary',
    note: 'summary',
    learning: 'summary',
    observation: 'summary',
    type: 'discovery_type',
    kind: 'discovery_type',
    category: 'discovery_type',
    files: 'related_files',
    id: 'discovery_id',
  },
  example: {
    action: 'store',
    summary: 'The nightly job deadlocks when two nodes start at once',
    discovery_type: 'bug_found',
    severity: 'medium',
    tags: ['scheduler', 'postgres'],
  },
  examples: {
    search: { arguments: { query: 'nightly job deadlock', limit: 5 } },
    store: {
      arguments: {
        client_session_id: '<from onboard>',
        summary: 'The nightly job deadlocks when two nodes start at once',
        discovery_type: 'bug_found',
        tags: ['scheduler', 'postgres'],
      },
    },
    note: { arguments: { client_session_id: '<from onboard>', summary: 'The staging database is reset on Mondays' } },
    get: { arguments: { discovery_id: '<from store>' } },
    list: { arguments: { limit: 10 } },
    details: { arguments: { discovery_id: '<from store>', include_response_chain: true } },
    update: {
      arguments: {
        client_session_id: '<from onboard>',
        discovery_id: '<from store>',
        status: 'resolved',
        resolution_notes: 'The start takes a lock',
      },
    },
    supersede: {
      arguments: { client_session_id: '<from onboard>', discovery_id: '<the newer>', supersedes_id: '<the older>' },
    },
    stats: { arguments: {} },
    audit: { arguments: { scope: 'open', top_n: 5 } },
    synthesize: { arguments: { client_session_id: '<from onboard>', dry_run: true } },
    cleanup: { arguments: { client_session_id: '<from onboard>', dry_run: true } },
  },
  errors: [
    'AGENT_ARCHIVED',
    'AGENT_NOT_FOUND',
    'AGENT_PAUSED',
    'DISCOVERY_NOT_FOUND',
    'FORBIDDEN',
    'IDEMPOTENCY_CONFLICT',
    'IDENTITY_CONFLICT',
    'IDENTITY_REQUIRED',
    'INVALID_STATUS_TRANSITION',
    'MISSING_PARAMETER',
    'OVERLOADED',
    'PARAMETER_ERROR',
    'RATE_LIMIT_EXCEEDED',
    'SEARCH_MODE_UNAVAILABLE',
    'STORAGE_UNAVAILABLE',
    'STRONG_IDENTITY_REQUIRED',
  ],
});
