/** What a search was narrowed by; null: not by this. */
export interface Narrowed {
  readonly query: string | null;
  readonly tags: readonly string[];
  readonly type: string | null;
  readonly severity: string | null;
  readonly status: string | null;
  readonly byAgent: boolean;
  readonly byTime: boolean;
  readonly includesArchived: boolean;
  readonly includesCold: boolean;
}

/** What to try when nothing was found. */
export const hintsOf = (narrowed: Narrowed): string[] => {
  const filters = [
    ...(narrowed.tags.length > 0 ? ['tags'] : []),
    ...(narrowed.type !== null ? ['discovery_type'] : []),
    ...(narrowed.severity !== null ? ['severity'] : []),
    ...(narrowed.status !== null ? ['status'] : []),
    ...(narrowed.byAgent ? ['agent_id_filter'] : []),
    ...(narrowed.byTime ? ['created_after', 'created_before'] : []),
  ];
  return [
    ...(filters.length > 0 ? [`Leave out a filter: ${filters.join(', ')}.`] : []),
    ...(narrowed.query !== null
      ? ['Use other words, or fewer: the search compares words by their stems, and not by their meaning.']
      : []),
    ...(narrowed.status === null && !narrowed.includesArchived
      ? ['Archived findings are left out: include_archived=true takes them in.']
      : []),
    ...(narrowed.status === null && narrowed.includesArchived && !narrowed.includesCold
      ? ['Cold findings are left out: include_cold=true takes them in.']
      : []),
    'When you find it out yourself, store it: knowledge(action=store).',
  ];
};
