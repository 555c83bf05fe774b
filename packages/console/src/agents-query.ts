import { addressOf } from './router.ts';

const LIMIT = 50;

/** What the page of agents shows: the whole of it stands in its address, so that it can be shared. */
export interface AgentsState {
  readonly search: string;
  readonly status: string;
  readonly verdict: string;
  readonly tag: string;
  readonly sort: string;
  readonly order: string;
  readonly offset: number;
}

/** Reads the query of an address. What it does not know it leaves to the server to refuse. */
export const stateOf = (query: URLSearchParams): AgentsState => {
  const text = (name: string): string => query.get(name) ?? '';
  return {
    search: text('search'),
    status: text('status'),
    verdict: text('verdict'),
    tag: text('tag'),
    sort: text('sort'),
    order: text('order'),
    offset: Number(text('offset')) || 0,
  };
};

const queryOf = (state: AgentsState) => ({ ...state, offset: state.offset === 0 ? undefined : state.offset });

/** The address of the page with something changed: what is filtered or sorted anew begins at the first part. */
export const changedAddress = (state: AgentsState, changed: Partial<AgentsState>): string =>
  addressOf('/agents', queryOf({ ...state, offset: 0, ...changed }));

/** Where the server is asked for it. */
export const agentsRoute = (state: AgentsState): string =>
  addressOf('/agents', { ...queryOf(state), limit: LIMIT }).replace('/dashboard', '/api');

const isUpByNature = (sort: string): boolean => sort === 'name' || sort === 'status';

/** How a column stands, and which order the next press of its heading asks for; '': the one that is natural to it. */
export const columnOf = (
  state: AgentsState,
  sort: string,
): { readonly sorted: 'ascending' | 'descending' | undefined; readonly next: string } => {
  if ((state.sort === '' ? 'activity' : state.sort) !== sort) return { sorted: undefined, next: '' };
  const isUp = state.order === '' ? isUpByNature(sort) : state.order === 'asc';
  return { sorted: isUp ? 'ascending' : 'descending', next: isUp ? 'desc' : 'asc' };
};

/** The beginning of the last part that holds anything, for addresses that lead beyond it. */
export const lastOffset = (matching: number): number => Math.max(0, Math.floor((matching - 1) / LIMIT) * LIMIT);
