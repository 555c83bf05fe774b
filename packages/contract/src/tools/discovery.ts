import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { flag, identityArguments } from './common.ts';
import { toolDescription, toolList } from './discovery-answer.ts';
import { healthAnswer, serverInfoAnswer } from './server-answer.ts';

export const listTools = toolSpec({
  name: 'list_tools',
  category: 'discovery',
  description: 'The tools, their aliases, and the order to use them in.',
  input: z.looseObject({
    ...identityArguments,
    category: z.string().max(64).nullish().describe('Only this category'),
    verbose: flag('Add whole descriptions and aliases'),
    essential_only: flag('only advertised tools').meta({ hidden: true }),
    progressive: flag('kept for older clients').meta({ hidden: true }),
  }),
  output: toolList,
  identity: 'open',
  timeoutMs: 10_000,
  advertised: true,
  readOnly: true,
  example: { verbose: true },
  errors: [],
  whileNotReady: true,
  ignoresStaleProof: true,
});

export const describeTool = toolSpec({
  name: 'describe_tool',
  category: 'discovery',
  description: 'One tool whole: schema, defaults, aliases, errors.',
  input: z.looseObject({
    ...identityArguments,
    tool_name: z.string().min(1).max(100).describe('Name or alias'),
    lite: flag('names and types only').meta({ hidden: true }),
  }),
  output: toolDescription,
  identity: 'open',
  timeoutMs: 10_000,
  advertised: true,
  readOnly: true,
  example: { tool_name: 'sync_state' },
  errors: [],
  whileNotReady: true,
  ignoresStaleProof: true,
});

export const healthCheck = toolSpec({
  name: 'health_check',
  category: 'admin',
  description: 'Whether the server works: readiness of each part, PostgreSQL, event loop.',
  input: z.looseObject({ ...identityArguments, lite: flag('short answer').meta({ hidden: true }) }),
  output: healthAnswer,
  identity: 'open',
  timeoutMs: 5_000,
  advertised: true,
  readOnly: true,
  example: {},
  errors: [],
  whileNotReady: true,
  ignoresStaleProof: true,
});

export const getServerInfo = toolSpec({
  name: 'get_server_info',
  category: 'admin',
  description: 'Version, uptime, transports and counts of the server.',
  input: z.looseObject({
    ...identityArguments,
    detail: z.enum(['basic', 'full']).default('basic').meta({ hidden: true }),
  }),
  output: serverInfoAnswer,
  identity: 'open',
  timeoutMs: 10_000,
  advertised: false,
  readOnly: true,
  example: {},
  errors: [],
  whileNotReady: true,
  ignoresStaleProof: true,
});
