import type { ToolArguments } from './tools.ts';
import { present, type Json } from './json.ts';
import { newKey } from './key.ts';
import {
  readFound,
  readOneFinding,
  readStored,
  type Finding,
  type FoundFindings,
  type StoredFinding,
} from './results.ts';

type Wire = ToolArguments<'knowledge'>;

export interface SearchOptions {
  readonly type?: string;
  readonly severity?: string;
  readonly status?: string;
  /** Any of them. */
  readonly tags?: readonly string[];
  /** 100 at most. */
  readonly limit?: number;
  readonly includeDetails?: boolean;
}

export interface FindingDraft {
  readonly summary: string;
  readonly details?: string;
  /** `insight`, `bug_found`, `learning`, …; the server names them all when it does not know one. */
  readonly type?: string;
  readonly severity?: 'low' | 'medium' | 'high' | 'critical';
  readonly tags?: readonly string[];
  readonly files?: readonly string[];
  /** From 0 to 1. */
  readonly confidence?: number;
  /** The older finding that it replaces. */
  readonly supersedes?: string;
  readonly idempotencyKey?: string;
}

export interface FindingChange {
  readonly status?: string;
  readonly summary?: string;
  readonly details?: string;
  readonly severity?: string;
  readonly tags?: readonly string[];
  readonly resolutionNotes?: string;
}

/** What agents of a fleet know together. */
export interface Knowledge {
  search(query: string, options?: SearchOptions): Promise<FoundFindings>;
  store(draft: FindingDraft): Promise<StoredFinding>;
  /** A short remark, which ages faster than a finding. */
  note(summary: string, options?: Pick<FindingDraft, 'tags' | 'idempotencyKey'>): Promise<StoredFinding>;
  get(id: string): Promise<Finding>;
  update(id: string, change: FindingChange): Promise<Finding>;
  /** A finding that answers another one, which is a question most of the time. */
  answer(id: string, draft: FindingDraft): Promise<StoredFinding>;
}

export const knowledgeOf = (call: (args: Wire) => Promise<Json>): Knowledge => {
  const store = async (draft: FindingDraft, more: Json = {}) => {
    const { type, files, tags, idempotencyKey, ...same } = draft;
    return readStored(
      await call({
        action: 'store',
        ...same,
        ...more,
        ...(type !== undefined && { discovery_type: type }),
        ...(tags !== undefined && { tags: [...tags] }),
        ...(files !== undefined && { related_files: [...files] }),
        idempotency_key: idempotencyKey ?? newKey(),
      }),
    );
  };
  return {
    async search(query, { type, tags, includeDetails, ...same } = {}) {
      const args = { ...same, discovery_type: type, tags, include_details: includeDetails };
      return readFound(await call({ action: 'search', query, ...present(args) }));
    },
    store: (draft) => store(draft),
    async note(summary, { tags, idempotencyKey } = {}) {
      const args = { action: 'note' as const, summary, idempotency_key: idempotencyKey ?? newKey() };
      return readStored(await call({ ...args, ...present({ tags }) }));
    },
    get: async (id) => readOneFinding(await call({ action: 'get', discovery_id: id })),
    async update(id, { resolutionNotes, ...same }) {
      const args = present({ ...same, resolution_notes: resolutionNotes });
      return readOneFinding(await call({ action: 'update', discovery_id: id, ...args, idempotency_key: newKey() }));
    },
    answer: (id, draft) => store(draft, { response_to: { discovery_id: id, response_type: 'answer' } }),
  };
};
