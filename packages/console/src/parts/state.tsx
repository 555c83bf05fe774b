import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Failure } from '../api.ts';
import { clockTime, relativeTime } from '../format.ts';
import { isStale, now, refresh, type Loaded } from '../live.ts';

const saidOf = (failure: Failure): string => {
  switch (failure.kind) {
    case 'offline':
      return 'The server does not answer. This page will retry automatically.';
    case 'unavailable':
      return `The server cannot answer yet (${failure.message.replaceAll('_', ' ')}). This page will retry automatically.`;
    case 'signed_out':
      return failure.message;
    // What to do about it is said to callers of tools, in their words.
    case 'refused':
      return failure.message;
  }
};

/** Why there is nothing to show, in words, and the way out. */
export const Failed = ({ failure }: { failure: Failure }) => (
  <div class="state error" role="alert">
    <strong>{failure.kind === 'refused' ? 'This cannot be shown.' : 'No answer.'}</strong>
    <p>{saidOf(failure)}</p>
    {/* What was refused will be refused again. */}
    {failure.kind !== 'refused' && (
      <button type="button" onClick={refresh}>
        Try again
      </button>
    )}
  </div>
);

/** Nothing is there, which is known. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="state empty">
    <strong>{title}</strong>
    {children}
  </div>
);

const Loading = () => (
  <div class="state loading" role="status">
    <span class="visually-hidden">Loading</span>
    <i />
    <i />
    <i />
  </div>
);

/** It changes too often to be read out; the clock time beside it is. */
const Age = ({ at }: { at: number }) => (
  <span aria-hidden="true">{relativeTime(new Date(at).toISOString(), now.value)}</span>
);

/**
 * What was loaded, or what stands in its place: loading, failed; and what is old stays, marked as such (BW-console.03).
 */
export function Shown<T>({
  loaded,
  everyMs,
  children,
}: {
  loaded: Loaded<T>;
  everyMs?: number;
  children: (data: T) => ComponentChildren;
}) {
  const { data, failure, at } = loaded;
  // Only a change of it draws the page anew, not each tick of the clock.
  const late = useMemo(() => computed(() => isStale(loaded, everyMs)), [loaded, everyMs]).value;
  if (data === undefined) return failure === undefined ? <Loading /> : <Failed failure={failure} />;
  const stale = failure !== undefined || late;
  return (
    <div class="stack">
      {stale && (
        <div class="stale-mark">
          <p role="status">
            As of {clockTime(at)}. {failure === undefined ? 'Newer data is late.' : saidOf(failure)}
          </p>
          <Age at={at} />
        </div>
      )}
      <div class={stale ? 'stack dimmed' : 'stack'}>{children(data)}</div>
    </div>
  );
}
