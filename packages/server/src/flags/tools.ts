import { ok } from '@breakwater/contract';
import { flags as flagsSpec } from '@breakwater/contract/tools';
import { defineActions, type Tool } from '../runtime/index.ts';
import { valueOfWord } from './flag.ts';
import type { Flags } from './service.ts';

const HISTORY = 20;

/** The tool of the flags; every operator may look, and one that may act sets them (W3-10.10, BW-flags.01). */
export const flagTools = (flags: Flags): Tool[] => [
  defineActions(flagsSpec, {
    list: async () => ok({ flags: flags.all() }),
    async get({ args }) {
      const view = flags.view(args.key);
      return view.ok ? ok({ flag: view.value }) : view;
    },
    async set({ args, caller }) {
      const value = valueOfWord(args.key, args.value);
      const set = await flags.set(args.key, value, caller.operator.name, args.reason);
      if (!set.ok) return set;
      return ok({
        stored: value,
        in_force: set.value,
        ...(set.value.origin === 'environment' && {
          warning: 'The environment of this node overrides the stored value.',
        }),
      });
    },
    async history({ args }) {
      const changes = await flags.history(args.key ?? undefined, args.limit ?? HISTORY);
      if (!changes.ok) return changes;
      return ok({ changes: changes.value.map((one) => ({ ...one, at: new Date(one.at).toISOString() })) });
    },
  }),
];
