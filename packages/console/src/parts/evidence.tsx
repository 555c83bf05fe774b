import { number, words } from '../format.ts';

type Record_ = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Record_ =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const Value = ({ value }: { value: unknown }) => {
  if (value === null) return <span class="faint">not known</span>;
  if (typeof value === 'number') return <>{number(value, 3)}</>;
  return <>{typeof value === 'string' ? words(value) : JSON.stringify(value)}</>;
};

/** A record as it was stored: its parts under their names, nothing left out. */
export const Evidence = ({ record }: { record: Record_ }) => {
  const entries = Object.entries(record);
  if (entries.length === 0) return <p class="faint">No evidence was recorded.</p>;
  return (
    <dl class="facts">
      {entries.map(([name, value]) => (
        <div key={name} class={isRecord(value) ? 'group' : undefined}>
          <dt>{words(name)}</dt>
          <dd>{isRecord(value) ? <Evidence record={value} /> : <Value value={value} />}</dd>
        </div>
      ))}
    </dl>
  );
};
