import { accept, flags as flagsSpec, refuse, type Outcome } from '@breakwater/contract';
import { defineTool, type Tool, type ToolCall } from '../runtime/index.ts';
import { valueOfWord } from './flag.ts';
import type { Flags } from './service.ts';

type Call = ToolCall<typeof flagsSpec.input._zod.output>;
type Payload = Readonly<Record<string, unknown>>;

const HISTORY = 20;

const needed = (args: Call['args'], parameter: 'key' | 'value' | 'reason'): Outcome<string> => {
  const given = args[parameter] ?? '';
  return given === ''
    ? refuse('MISSING_PARAMETER', `${parameter}: ${args.action} needs it.`, { details: { parameter } })
    : accept(given);
};

/** The tool of the flags; every operator may look, and one that may act sets them (W3-10.10, BW-flags.01). */
export const flagTools = (flags: Flags): Tool[] => {
  const actions = {
    list: async (): Promise<Outcome<Payload>> => accept({ flags: flags.all() }),
    get: async ({ args }: Call): Promise<Outcome<Payload>> => {
      const key = needed(args, 'key');
      if (!key.ok) return key;
      const view = flags.view(key.value);
      return view.ok ? accept({ flag: view.value }) : view;
    },
    async set({ args, caller }: Call): Promise<Outcome<Payload>> {
      if (caller.operator?.act !== true) {
        return refuse('OPERATOR_REQUIRED', 'Only an operator that may act sets a flag.');
      }
      const [key, word, reason] = [needed(args, 'key'), needed(args, 'value'), needed(args, 'reason')];
      if (!key.ok) return key;
      if (!word.ok) return word;
      if (!reason.ok) return reason;
      const value = valueOfWord(key.value, word.value);
      const set = await flags.set(key.value, value, caller.operator.name, reason.value);
      if (!set.ok) return set;
      return accept({
        stored: value,
        in_force: set.value,
        ...(set.value.origin === 'environment' && {
          warning: 'The environment of this node overrides the stored value.',
        }),
      });
    },
    async history({ args }: Call): Promise<Outcome<Payload>> {
      const changes = await flags.history(args.key ?? undefined, args.limit ?? HISTORY);
      if (!changes.ok) return changes;
      return accept({ changes: changes.value.map((one) => ({ ...one, at: new Date(one.at).toISOString() })) });
    },
  };
  return [defineTool(flagsSpec, (call) => actions[call.args.action ?? 'list'](call))];
};
