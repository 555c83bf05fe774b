import { readFileSync } from 'node:fs';
import { FAILURE_EVENTS, MEASUREMENT_EVENTS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';

const page = readFileSync(new URL('../../../../docs/channel.md', import.meta.url), 'utf8');
const documented = [...page.matchAll(/^\| `([a-z0-9_.]+)`/gm)].map(([, name]) => name ?? '');
const registered = [...Object.values(FAILURE_EVENTS), ...Object.values(MEASUREMENT_EVENTS)];

it('the registered types are the documented ones', () => {
  verifies('W3-8.10');
  expect(documented.toSorted()).toEqual(registered.toSorted());
  for (const name of ['shadow_divergence', 'ets_pg_divergence', 'cutover_503_rate_breach']) {
    expect(registered.filter((type) => type.endsWith(`.${name}`))).toHaveLength(1);
  }
});
