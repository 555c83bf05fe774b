/** Which part of a list is shown, and the ways to the others. */
export const Pager = ({
  offset,
  limit,
  matching,
  go,
}: {
  offset: number;
  limit: number;
  matching: number;
  go: (offset: number) => void;
}) => {
  if (matching <= limit && offset === 0) return null;
  const to = Math.min(offset + limit, matching);
  return (
    <nav class="pager" aria-label="Parts of the list">
      <button
        type="button"
        disabled={offset === 0}
        onClick={() => {
          go(Math.max(0, offset - limit));
        }}
      >
        Back
      </button>
      <span>
        {(offset + 1).toLocaleString('en')}–{to.toLocaleString('en')} of {matching.toLocaleString('en')}
      </span>
      <button
        type="button"
        disabled={to >= matching}
        onClick={() => {
          go(offset + limit);
        }}
      >
        More
      </button>
    </nav>
  );
};
