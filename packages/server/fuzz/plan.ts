import { ALIASES, type ToolSpec } from '@breakwater/contract';
import { z } from 'zod';
import type { Random } from '../src/runtime/index.ts';
import { ROUTES } from '@breakwater/contract/routes';
import { TOOLS } from '@breakwater/contract/tools';
import { hostile, HOSTILE_PARTS, misspelt, oneOf } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

/** Who a call may say it is; each was handed out by the server that is called. */
export interface Credentials {
  readonly sessions: readonly string[];
  readonly tokens: readonly string[];
  readonly agents: readonly string[];
  readonly operator: string;
  readonly mcpSessions: readonly string[];
}

/** One request, as it goes over the wire. */
export interface Shot {
  /** What a finding is told by: the tool, or the route. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

interface Target {
  readonly spec: ToolSpec;
  readonly properties: Readonly<Record<string, Json>>;
}

const TARGETS: readonly Target[] = Object.values<ToolSpec>(TOOLS).map((spec) => ({
  spec,
  properties: (z.toJSONSchema(spec.input, { io: 'input' }) as { properties: Readonly<Record<string, Json>> })
    .properties,
}));
const BY_NAME = new Map(TARGETS.map((target) => [target.spec.name, target]));
const NAMES = [...BY_NAME.keys(), ...ALIASES.map(({ name }) => name)];

/** A value that fits what is declared, where that is easily made. */
const fitting = (random: Random, schema: Json): unknown => {
  const {
    wire,
    anyOf,
    type,
    enum: words,
  } = schema as {
    wire?: Json;
    anyOf?: readonly Json[];
    type?: unknown;
    enum?: readonly unknown[];
  };
  if (wire !== undefined) return fitting(random, wire);
  if (words !== undefined) return oneOf(random, words);
  if (anyOf !== undefined) return fitting(random, oneOf(random, anyOf));
  switch (Array.isArray(type) ? oneOf(random, type as unknown[]) : type) {
    case 'string':
      return oneOf(random, ['a', 'Fixed the retry loop', 'note', 'x-1']);
    case 'number':
      return random();
    case 'integer':
      return Math.floor(random() * 20);
    case 'boolean':
      return random() < 0.5;
    case 'array':
      return random() < 0.5 ? [] : [fitting(random, (schema['items'] ?? {}) as Json)];
    case 'object':
      return { command: 'npm test', exit_code: 0 };
    default:
      return null;
  }
};

/** Arguments of a tool: some that fit, a few that do not, and now and then a name that nobody knows. */
const argumentsOf = (random: Random, { spec, properties }: Target, known: Credentials): Json => {
  const args: Record<string, unknown> = { ...spec.example };
  delete args['client_session_id'];
  const names = Object.keys(properties);
  for (let i = Math.floor(random() * 4); i > 0; i -= 1) {
    const name = oneOf(random, names);
    args[name] = random() < 0.4 ? hostile(random) : fitting(random, properties[name] ?? {});
  }
  if (properties['action'] !== undefined && random() < 0.8) args['action'] = fitting(random, properties['action']);
  if (random() < 0.05) args[misspelt(random, oneOf(random, names))] = hostile(random);
  if (random() < 0.8) args['client_session_id'] = oneOf(random, known.sessions);
  if (random() < 0.1) args['continuity_token'] = oneOf(random, known.tokens);
  if (random() < 0.2) args[oneOf(random, ['agent_uuid', 'agent_id', 'target_agent_id'])] = oneOf(random, known.agents);
  return random() < 0.05 ? { kwargs: random() < 0.5 ? args : JSON.stringify(args) } : args;
};

const HEADER_TEXTS = [
  '',
  'x',
  'bwo_guess',
  'Bearer',
  'Bearer x',
  '\u00ff\u00fe',
  '%00',
  '0'.repeat(3000),
  '{"a":1}',
  ',',
];

/** Headers that say who calls, or how the body is to be read; some true, some not. */
const headersOf = (random: Random, known: Credentials): Record<string, string> => {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const say = (name: string, truth: string, chance: number): void => {
    if (random() < chance) headers[name] = random() < 0.6 ? truth : oneOf(random, HEADER_TEXTS);
  };
  say('x-session-id', oneOf(random, known.sessions), 0.05);
  say('x-breakwater-operator', known.operator, 0.15);
  say('x-unitares-operator', known.operator, 0.03);
  say('authorization', `Bearer ${known.operator}`, 0.05);
  say('x-request-id', 'fuzz-1', 0.1);
  say('mcp-session-id', oneOf(random, known.mcpSessions), 0.05);
  say('idempotency-key', 'fuzz-1', 0.05);
  say('user-agent', 'claude-code/1', 0.3);
  say('accept', 'application/json', 0.1);
  say('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 0.05);
  if (random() < 0.02)
    headers['content-type'] = oneOf(random, ['text/plain', 'application/xml', 'application/json; charset=utf-16']);
  if (random() < 0.02) headers['content-encoding'] = oneOf(random, ['gzip', 'identity', 'br', 'x']);
  return headers;
};

const MODERN = '2026-07-28';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Bytes that are nearly the JSON they should be. */
const broken = (random: Random, text: string): string => {
  const at = Math.floor(random() * text.length);
  return random() < 0.5 ? text.slice(0, at) : `${text.slice(0, at)}\u0001${text.slice(at + 1)}`;
};

const bodyOf = (random: Random, value: unknown): string => {
  const text = JSON.stringify(value);
  return random() < 0.01 ? broken(random, text) : text;
};

const toolShot = (random: Random, known: Credentials): Shot => {
  const name = random() < 0.97 ? oneOf(random, NAMES) : misspelt(random, oneOf(random, NAMES));
  const alias = ALIASES.find((one) => one.name === name);
  const target = BY_NAME.get(alias?.tool ?? name) ?? oneOf(random, TARGETS);
  const args = random() < 0.98 ? argumentsOf(random, target, known) : hostile(random);
  const headers = headersOf(random, known);
  const way = random();
  if (way < 0.6) {
    const body = bodyOf(random, { name, arguments: args });
    return { what: `rest ${name}`, method: 'POST', path: '/v1/tools/call', headers, body };
  }
  const message = { jsonrpc: '2.0', id: random() < 0.95 ? 1 : hostile(random), method: 'tools/call' };
  const accept = 'application/json, text/event-stream';
  if (way < 0.8) {
    const session = random() < 0.8 ? { 'mcp-session-id': oneOf(random, known.mcpSessions) } : {};
    const body = bodyOf(random, { ...message, params: { name, arguments: args } });
    return {
      what: `mcp-2025 ${name}`,
      method: 'POST',
      path: '/mcp/',
      headers: { ...headers, accept, ...session },
      body,
    };
  }
  const modern = { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': name.replace('\0', '') };
  const body = bodyOf(random, { ...message, params: { name, arguments: args, _meta: ENVELOPE } });
  return { what: `mcp-2026 ${name}`, method: 'POST', path: '/mcp/', headers: { ...headers, accept, ...modern }, body };
};

const ASKED = ROUTES.filter(({ path }) => !path.startsWith('/ws/') && !path.includes('*'));
const PARTS = [...HOSTILE_PARTS, '9'.repeat(40), '2026-02-30', ''];
const BODY_FIELDS = [
  'name',
  'agent_id',
  'agent_uuid',
  'outcome_type',
  'detail',
  'message',
  'type',
  'severity',
  'ts',
  'value',
  'slot_key',
  'session_id',
  'idempotency_key',
  'mode',
  'round',
  'input',
];

const routeShot = (random: Random, known: Credentials): Shot => {
  const { method: stated, path: pattern, query: fieldsOf } = oneOf(random, ASKED);
  const method = random() < 0.95 ? stated : oneOf(random, ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']);
  const part = (): string => (random() < 0.3 ? oneOf(random, known.agents) : oneOf(random, PARTS));
  const fields = [...Object.keys(fieldsOf?.shape ?? {}), 'no_such_field'];
  const query = random() < 0.6 ? `?${oneOf(random, fields)}=${part()}` : '';
  const path = `${pattern.replaceAll(/:\w+/g, part)}${query}`;
  const sent = Object.fromEntries(
    Array.from({ length: 4 }, () => [oneOf(random, BODY_FIELDS), hostile(random)] as const),
  );
  const body = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? undefined : bodyOf(random, sent);
  return { what: `${stated} ${pattern}`, method, path, headers: headersOf(random, known), body };
};

/** The next request that chance makes. */
export const nextShot = (random: Random, known: Credentials): Shot =>
  random() < 0.8 ? toolShot(random, known) : routeShot(random, known);
