import type { Need } from '@breakwater/contract/overview';

/** What to say of the needs that came since those of `known`, by their keys; nothing of those that a page opens with. */
export const saidOfNew = (
  known: ReadonlySet<string> | undefined,
  needs: readonly Pick<Need, 'key' | 'title'>[],
): string | undefined => {
  if (known === undefined) return undefined;
  const [first, ...others] = needs.filter(({ key }) => !known.has(key));
  if (first === undefined) return undefined;
  return others.length === 0
    ? `Needs attention: ${first.title}`
    : `${others.length + 1} more need attention: ${first.title}, …`;
};
