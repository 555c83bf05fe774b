import { expect, expectTypeOf, it } from 'vitest';
import * as sdk from './index.ts';
import * as file from './file-credentials.ts';
import type { ToolAnswer, ToolArguments } from './tools.ts';

it('types a call both ways: arguments by tool, the answer by the action that they name', () => {
  expectTypeOf<ToolAnswer<'record_result'>['outcome_id']>().toEqualTypeOf<string>();
  expectTypeOf<ToolAnswer<'agent', { action: 'list' }>['matching']>().toEqualTypeOf<number>();
  expectTypeOf<ToolAnswer<'agent', { action: 'get' }>['matching']>().toEqualTypeOf<unknown>();
  expectTypeOf<ToolAnswer<'a tool of tomorrow'>>().toEqualTypeOf<sdk.Json>();
  // @ts-expect-error -- a limit is a number
  const wrong: ToolArguments<'agent'> = { action: 'list', limit: [] };
  expect(wrong.action).toBe('list');
});

it('exports what it says, and nothing by accident: a name more or less is a decision', () => {
  expect(Object.keys(sdk).sort()).toEqual([
    'Agent',
    'ApiError',
    'BreakwaterClient',
    'BreakwaterError',
    'CallTimeoutError',
    'CredentialsError',
    'IdentityDriftError',
    'IdentityRefusedError',
    'PausedError',
    'ProtocolError',
    'RateLimitedError',
    'UnavailableError',
    'UnreachableError',
    'memoryCredentials',
  ]);
  expect(Object.keys(file).sort()).toEqual(['fileCredentials', 'namedCredentials']);
});

it('refuses an address that is not one, and names the option', () => {
  for (const url of ['nonsense', 'ftp://server.test', '']) {
    expect(() => new sdk.BreakwaterClient({ url }), url).toThrow(/^url must be an http or https address/);
  }
});
