import { number, words } from '../format.ts';

type Record_ = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Record_ =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const lineOf = (record: Record_): string =>
  Object.entries(record)
    .map(([name, value]) => `${words(name)} ${typeof value === 'number' ? number(value, 3) : JSON.stringify(value)}`)
    .join(', ');

const Value = ({ value }: { value: unknown }) => {
  if (value === null) return <span class="faint">not known</span>;
  if (typeof value === 'number') return <>{number(value, 3)}</>;
  if (typeof value === 'string') return <>{words(value)}</>;
  if (!Array.isArray(value)) return <>{value === true ? 'yes' : 'no'}</>;
  return (
    <ol>
      {value.map((item: unknown, place) => (
        <li key={place}>{isRecord(item) ? lineOf(item) : <Value value={item} />}</li>
      ))}
    </ol>
  );
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
