/** A finding that shares tags with another one, and how much of both they share: 0 to 1. */
export interface Similar<T> {
  readonly finding: T;
  readonly weight: number;
}

const LEAST = 0.3;
const MOST = 5;

/** The findings nearest to these tags: those that share nearly a third of all tags of both, nearest first, at most five. */
export const similarByTags = <T extends { readonly tags: readonly string[] }>(
  tags: readonly string[],
  others: readonly T[],
): Similar<T>[] => {
  const own = new Set(tags);
  return others
    .map((finding) => {
      const shared = finding.tags.filter((tag) => own.has(tag)).length;
      return { finding, weight: shared / (own.size + finding.tags.length - shared) };
    })
    .filter(({ weight }) => weight >= LEAST)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, MOST);
};
