/** Edits (insert, delete, replace one character) between two words. */
const edits = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

const LONGEST = 64;

/** The known words that a misspelt one most likely meant, nearest first; words that differ in over half are no guess. */
export const nearest = (word: string, known: readonly string[], most = 3): string[] => {
  const asked = word.toLowerCase().slice(0, LONGEST);
  return known
    .map((candidate) => ({ candidate, distance: edits(asked, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(asked.length, candidate.length) / 2)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
};
