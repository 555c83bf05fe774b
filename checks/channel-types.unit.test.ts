import ts from 'typescript';
import { expect, it } from 'vitest';
import { verifies } from '../packages/server/testing/verifies.ts';
import { namedTypes } from './channel-literals.ts';

const found = (text: string) => namedTypes(ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest));

it.each([
  ["emit('coordination_failure.x.y');", 'coordination_failure.x.y'],
  ['emit("measurement.x");', 'measurement.x'],
  ['emit(`measurement.x.${y}`);', 'measurement.x.'],
  ['emit(`telemetry.x`);', 'telemetry.x'],
  ["const sql = `SELECT 1 WHERE t = 'measurement.x' AND u = ${v}`;", 'measurement.x'],
  ["const sql = `SELECT ${v} WHERE t LIKE 'coordination_failure.%'`;", 'coordination_failure.%'],
])('finds a name of the channel: %s', (text, name) => {
  verifies('W3-6.08');
  expect(found(`\n${text}`)).toEqual([`a.ts:2  ${name}`]);
});

it.each([
  '// measurement.x in a comment',
  "emit(MEASUREMENT_EVENTS.request, 'a measurement. Of what?');",
  "emit('coordination_failures', 'measurement');",
  'const { measurement } = x; measurement.y();',
])('leaves alone what names none: %s', (text) => {
  expect(found(text)).toEqual([]);
});
