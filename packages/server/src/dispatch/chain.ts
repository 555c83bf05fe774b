import {
  refusal,
  UNAVAILABLE_RETRY_SECONDS,
  type ErrorCode,
  type Result,
  type Refusal,
  type ToolSpec,
} from '@breakwater/contract';
import { isObject, nearest, UUID, type Caller, type Evidence, type Readiness, type Tool } from '../runtime/index.ts';
import { understandComplexity } from './complexity.ts';
import { known, type Arguments, type Frame } from './frame.ts';
import { withoutInternal } from './internal-fields.ts';
import { deeperThan, preview } from './preview.ts';
import { principalOf, type Limits } from './limits.ts';
import type { RegisteredTool, Registry } from './registry.ts';
import { lookAt, MAX_DEPTH } from './rules/input.ts';
import { problemsOf, refuseArguments } from './validation.ts';

/** What the steps work with; the same for every call. */
export interface Parts {
  readonly registry: Registry;
  readonly readiness: Pick<Readiness, 'ready' | 'parts'>;
  readonly limits: Limits;
  /** `fresh`: not from memory, which may be a moment behind another node, but by PostgreSQL's word. */
  resolveCaller(evidence: Evidence, fresh?: 'fresh'): Promise<Result<Caller>> | Result<Caller>;
  /** Why a tool that writes may not be called with an identity that nobody proved; undefined when it may. */
  refusedWrite(caller: Caller, tool: string): Refusal | undefined;
}

type Verdict = Refusal | undefined;

/** One step of the chain: it refuses the call, or adds what it found to the frame and lets it pass. */
export interface Step {
  readonly name: string;
  /** What a call that passed can rely on. */
  readonly promise: string;
  pass(frame: Frame, parts: Parts): Verdict | Promise<Verdict>;
}

const MAX_ARGUMENTS = 100;
const MAX_UNKNOWN_BYTES = 16_384;
const MAX_NAME = 100;

const stripInternalFields: Step = {
  name: 'strip internal fields',
  promise: 'No argument has a name that servers use among themselves, and none is nested deeper than 32 levels.',
  pass(frame) {
    const { args } = frame.request;
    if (args === undefined || args === null) return undefined;
    if (!isObject(args)) return refusal('BAD_REQUEST', 'The arguments must be a JSON object.');
    // What walks a value later (schemas, previews, SQL) recurses, and a body of 1 MB can be half a million deep.
    if (deeperThan(args, MAX_DEPTH)) {
      return refusal('BAD_REQUEST', `The arguments must not be nested deeper than ${MAX_DEPTH} levels.`);
    }
    frame.args = withoutInternal(args);
    return undefined;
  },
};

const readWrapper = (wrapper: unknown): Readonly<Record<string, unknown>> | undefined => {
  if (typeof wrapper !== 'string') return isObject(wrapper) ? wrapper : undefined;
  try {
    const parsed: unknown = JSON.parse(wrapper);
    return isObject(parsed) && !deeperThan(parsed, MAX_DEPTH) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

const unwrapKwargs: Step = {
  name: 'unwrap kwargs',
  promise: 'Arguments that a host wrapped in `kwargs` stand at the top; what stood there already wins.',
  pass(frame) {
    const { kwargs, ...args } = frame.args;
    if (kwargs === undefined) return undefined;
    frame.args = args;
    if (kwargs === null) return undefined;
    const wrapped = readWrapper(kwargs);
    if (wrapped === undefined) {
      frame.problems.push({
        field: 'kwargs',
        message: 'must be an object, or the JSON of one',
        type: 'type',
      });
    } else frame.args = { ...withoutInternal(wrapped), ...args };
    return undefined;
  },
};

const stripPrefix: Step = {
  name: 'strip the host prefix',
  promise: 'A name as some hosts show it, `mcp_<server>_<tool>`, is the name of the tool.',
  pass(frame, { registry }) {
    const { name } = frame;
    if (!name.startsWith('mcp_') || name.length > MAX_NAME || registry.find(name) !== undefined) return undefined;
    // Servers and tools both have underscores in their names: the longest ending that is a tool decides.
    for (let at = name.indexOf('_', 4); at !== -1; at = name.indexOf('_', at + 1)) {
      const tool = name.slice(at + 1);
      if (registry.find(tool) === undefined) continue;
      frame.name = tool;
      return undefined;
    }
    return undefined;
  },
};

/** The refusal for a name that nothing has; names the nearest ones. */
export const toolNotFound = (registry: Registry, asked: string): Refusal => {
  const similar = nearest(asked, [...registry.names()], 5);
  return refusal('TOOL_NOT_FOUND', `No tool is called ${preview(asked)}.`, {
    details: {
      error_type: 'tool_not_found',
      requested_tool: asked.slice(0, MAX_NAME),
      similar_tools: similar,
      total_available: registry.tools.length,
    },
    recovery: {
      action: similar[0] === undefined ? 'Call list_tools for the names.' : `Did you mean ${similar[0]}?`,
      related_tools: ['list_tools'],
      workflow: ['start_session', 'sync_state', 'record_result'],
    },
  });
};

const resolveName: Step = {
  name: 'resolve the name',
  promise: 'The tool is known, by its own name or an alias, and with it the deadline.',
  pass(frame, { registry }) {
    const target = registry.find(frame.name);
    if (target === undefined) return toolNotFound(registry, frame.name);
    frame.target = target;
    frame.deadline = frame.receivedAt + target.entry.tool.spec.timeoutMs;
    return undefined;
  },
};

const absent = (args: Arguments, name: string): boolean => args[name] === undefined || args[name] === null;

const renameArguments: Step = {
  name: 'name the arguments',
  promise: 'Arguments have their canonical names. What the alias injects wins; of two names the canonical one wins.',
  pass(frame) {
    const { entry, alias } = known(frame.target, 'tool');
    const { args } = frame;
    for (const [other, canonical] of entry.argumentAliases) {
      if (absent(args, other) || !absent(args, canonical)) continue;
      args[canonical] = args[other];
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the argument moves; it must not be there twice
      delete args[other];
    }
    if (alias?.inject !== undefined) Object.assign(args, alias.inject);
    return undefined;
  },
};

const lookAtInput: Step = {
  name: 'look at the input',
  promise: 'Names, ids, tags and keys are text, JSON text is what it stands for, and no argument is misspelt.',
  pass(frame) {
    const { shape } = known(frame.target, 'tool').entry;
    if (Object.keys(frame.args).length > MAX_ARGUMENTS) {
      frame.problems.push({ field: '(all)', message: `must be at most ${MAX_ARGUMENTS} arguments`, type: 'range' });
      return refuseArguments(known(frame.target, 'tool').entry.tool.spec.name, frame.problems);
    }
    const { value, problems, replaced } = lookAt(frame.args, shape);
    frame.args = value as Arguments;
    frame.problems.push(...problems);
    if (replaced !== undefined) frame.normalized = { ...frame.normalized, ...replaced };
    return undefined;
  },
};

const normaliseComplexity: Step = {
  name: 'understand complexity',
  promise: 'Words and {value, scale} that an alias accepts are numbers, and the answer says what was made of them.',
  pass(frame) {
    if (known(frame.target, 'tool').alias?.complexityWords !== true) return undefined;
    const understood = understandComplexity(frame.args['complexity']);
    if (understood === undefined) return undefined;
    if ('to' in understood) {
      frame.args['complexity'] = understood.to;
      frame.normalized = { ...frame.normalized, complexity: understood };
    } else {
      frame.problems.push(understood);
      // Reported already; the schema would report it a second time, in other words.
      delete frame.args['complexity'];
    }
    return undefined;
  },
};

const requireReady: Step = {
  name: 'require readiness',
  promise: 'Every part of the server is warm, or the tool needs none.',
  pass(frame, { readiness }) {
    if (readiness.ready || known(frame.target, 'tool').entry.tool.spec.whileNotReady === true) return undefined;
    const cold = Object.entries(readiness.parts()).filter(([, warm]) => !warm);
    return refusal('NOT_READY', 'The server is starting or stopping.', {
      details: { not_ready: cold.map(([part]) => part) },
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    });
  },
};

/** What a tool that takes any argument is given beside those that it declares; undefined of other tools. */
const undeclared = (args: Arguments, { shape }: RegisteredTool): Arguments | undefined => {
  if (shape.closed) return undefined;
  let found: Arguments | undefined;
  for (const name in args) if (!shape.properties.has(name)) (found ??= {})[name] = args[name];
  return found;
};

const validate: Step = {
  name: 'validate',
  promise: 'The arguments obey the schema of the tool, and are of its types.',
  pass(frame) {
    const { entry } = known(frame.target, 'tool');
    const { args, problems } = frame;
    const unknown = undeclared(args, entry);
    const parsed = entry.parse(args);
    if (parsed.success && problems.length === 0 && unknown === undefined) {
      frame.args = parsed.data;
      return undefined;
    }
    if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, args));
    if (unknown !== undefined && Buffer.byteLength(JSON.stringify(unknown)) > MAX_UNKNOWN_BYTES) {
      const message = `that the tool does not know must be at most ${MAX_UNKNOWN_BYTES} bytes of JSON`;
      problems.push({ field: '(arguments)', message, type: 'range' });
    }
    if (problems.length > 0 || !parsed.success) return refuseArguments(entry.tool.spec.name, problems);
    frame.args = parsed.data;
    frame.unknownArguments = unknown;
    return undefined;
  },
};

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A proof that does not hold, as opposed to two that contradict each other. */
const FAILED_PROOF: ReadonlySet<ErrorCode> = new Set(['SESSION_UNKNOWN', 'SUBSTRATE_REQUIRES_SOCKET']);

const admit = (frame: Frame, resolved: Result<Caller>, parts: Parts): Verdict | Promise<Verdict> => {
  const { spec } = known(frame.target, 'tool').entry.tool;
  if (!resolved.ok) {
    const ignores =
      spec.ignoresStaleProof === true || (spec.ignoresStaleProof !== undefined && frame.args['force_new'] === true);
    if (!ignores || !FAILED_PROOF.has(resolved.refusal.code)) return resolved.refusal;
    // Without any proof, not with what is left of it: a caller whose secret failed must not be taken for another one.
    const { peer, operatorSecret } = frame.evidence;
    const unbound = parts.resolveCaller({ peer, ...(operatorSecret !== undefined && { operatorSecret }) });
    if (!(unbound instanceof Promise)) return unbound.ok ? bind(frame, unbound.value) : unbound.refusal;
    return unbound.then((outcome) => (outcome.ok ? bind(frame, outcome.value) : outcome.refusal));
  }
  const { agentId, operator } = resolved.value;
  if (spec.identity === 'operator' && operator === undefined) {
    return refusal('OPERATOR_REQUIRED', `${spec.name} needs an operator credential.`);
  }
  if (spec.identity === 'required' && agentId === undefined) return identityRequired(spec.name, frame.evidence);
  if (!spec.readOnly && spec.identity === 'required') {
    const refused = parts.refusedWrite(resolved.value, spec.name);
    if (refused !== undefined) return refused;
  }
  return bind(frame, resolved.value);
};

/** The refusal says what a caller should do, and what it should not: a mint for every refused call is how ghosts are made. */
const identityRequired = (tool: string, { continuityToken }: Evidence): Refusal =>
  continuityToken === undefined
    ? refusal('IDENTITY_REQUIRED', `${tool} needs an identity, and the call carries no proof of one.`, {
        details: {
          status: 'identity_required',
          safe_options: [
            { action: 'resume', call: `${tool}(client_session_id=…)`, when: 'you have onboarded before' },
            { action: 'start_fresh', call: 'onboard()', when: 'you have not' },
          ],
          do_not: ['onboard again for every call that is refused'],
        },
      })
    : refusal(
        'CONTINUITY_TOKEN_RESUME_RETIRED',
        `${tool}: a continuity token counts only beside the agent_uuid it names.`,
      );

const bind = (frame: Frame, caller: Caller): Verdict => {
  frame.caller = caller;
  return undefined;
};

const uuid = (value: unknown): string | undefined =>
  typeof value === 'string' && UUID.test(value) ? value : undefined;

/** The evidence of the transport, and what of it the arguments bring: a wrapped secret is not seen by the transport. */
const evidenceOf = (seen: Evidence, args: Arguments, spec: ToolSpec): Evidence => {
  const { clientSessionId: _seen, ...transport } = seen;
  const clientSessionId = text(args['client_session_id']);
  const continuityToken = text(args['continuity_token']);
  const agentUuid = uuid(args['agent_uuid']) ?? (spec.agentIdIsTarget === true ? undefined : uuid(args['agent_id']));
  const modelType = text(args['model_type']);
  return {
    ...transport,
    ...(clientSessionId !== undefined && { clientSessionId }),
    ...(continuityToken !== undefined && { continuityToken }),
    ...(agentUuid !== undefined && { agentUuid }),
    ...(modelType !== undefined && { modelType }),
    ...(spec.resumes === true && { resuming: true }),
  };
};

/**
 * Whether memory's word on the caller is to be confirmed: what follows from it (a refusal, or the gate of the live flag) may
 * be a moment behind another node, and no commit looks at it again.
 */
const needsFresh = ({ spec }: Tool, { mcpSessionId }: Evidence, resolved: Result<Caller>): boolean => {
  if (!resolved.ok) return false;
  const { agentId, origin } = resolved.value;
  if (agentId === undefined) return spec.identity === 'required' && mcpSessionId !== undefined;
  return !spec.readOnly && origin === 'server_inferred';
};

const identify: Step = {
  name: 'identify',
  promise:
    'The caller is known: bound to an agent by proof, or unbound and the tool is open. What a write depends on is so in ' +
    'PostgreSQL, or is looked at again where it commits (BW-nodes.01).',
  pass(frame, parts) {
    const { tool } = known(frame.target, 'tool').entry;
    frame.evidence = evidenceOf(frame.evidence, frame.args, tool.spec);
    const { evidence } = frame;
    const whenKnown = (
      found: Result<Caller> | Promise<Result<Caller>>,
      judge: (outcome: Result<Caller>) => Verdict | Promise<Verdict>,
    ) => (found instanceof Promise ? found.then(judge) : judge(found));
    const fresh = () => whenKnown(parts.resolveCaller(evidence, 'fresh'), (outcome) => admit(frame, outcome, parts));
    if (!tool.spec.readOnly && tool.checksAtCommit !== true) return fresh();
    return whenKnown(parts.resolveCaller(evidence), (outcome) =>
      needsFresh(tool, evidence, outcome) ? fresh() : admit(frame, outcome, parts),
    );
  },
};

/** A call that makes a new agent unless it is refused: nobody is proven, or the caller wants to be another one. */
const isStart = ({ target, caller, args }: Frame): boolean =>
  known(target, 'tool').entry.tool.spec.starts === true &&
  (known(caller, 'caller').agentId === undefined || args['force_new'] === true || args['resume'] === false);

const limitRate: Step = {
  name: 'limit the rate',
  promise:
    'The caller has calls of this kind left for this minute and hour, or is an operator, who is above all limits.',
  pass(frame, { limits }) {
    const { operator, principal } = known(frame.caller, 'caller');
    // In an emergency somebody stops a whole fleet.
    if (operator !== undefined) return undefined;
    // By address, also for a proven caller: each new agent would else bring the limits of an agent for more of them.
    if (isStart(frame)) return limits.take('starts', principalOf(frame.evidence.peer));
    return limits.take(known(frame.target, 'tool').entry.tool.spec.readOnly ? 'reads' : 'writes', principal);
  },
};

/**
 * What every call passes before its tool runs, over REST and MCP alike, in this order (BW-dispatch.01). After it come
 * the deadline, the handler and the envelope.
 */
const CHAIN: readonly Step[] = [
  stripInternalFields,
  unwrapKwargs,
  stripPrefix,
  resolveName,
  renameArguments,
  lookAtInput,
  normaliseComplexity,
  requireReady,
  validate,
  identify,
  limitRate,
];

/**
 * Passes a call through the chain from step `from` on. Synchronous unless a step has to wait, which on the hot path none
 * does. A call that expired while a step waited goes no further: nothing of it may start (BW-dispatch.05).
 */
export const passChain = (frame: Frame, parts: Parts, from = 0): Verdict | Promise<Verdict> => {
  for (let i = from; i < CHAIN.length; i += 1) {
    const verdict = CHAIN[i]?.pass(frame, parts);
    if (verdict instanceof Promise) {
      return verdict.then((late) => late ?? (frame.expired ? undefined : passChain(frame, parts, i + 1)));
    }
    if (verdict !== undefined) return verdict;
  }
  return undefined;
};
