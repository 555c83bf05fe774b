/**
 * Keeps lists in the documents in step with the code: tools, commands and settings in the README and limits in docs/agents.md are generated from it, and
 * the figures in docs/scoring.md from the last run of `npm run efficacy`. Exits 1 and says what differs; `--write` brings the
 * documents up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import * as contract from '../packages/contract/src/index.ts';
import { TOOLS } from '../packages/contract/src/tools.ts';
import { createProgram } from '../packages/server/src/cli/commands.ts';
import type { Figure } from '../packages/server/efficacy/figure.ts';
import { valueText, intervalText } from '../packages/server/efficacy/table.ts';
import { RETENTION_DAYS } from '../packages/server/src/postgres/retention-rules.ts';
import { REFUSALS } from '../packages/server/src/serve/openapi.ts';
import { SETTINGS } from '../packages/server/src/cli/settings.ts';

const row = (...cells: string[]) => `| ${cells.join(' | ')} |`;
const cell = (text: string) => text.replaceAll('|', '\\|');

const NEEDS: Readonly<Record<contract.IdentityNeed, string>> = { required: 'yes', open: 'no', operator: 'operator' };

const tools = (): string => {
  const lines = Object.values<contract.ToolSpec>(TOOLS).map((spec) => {
    const workflow = contract.ALIASES.find(({ tool, kind }) => tool === spec.name && kind === 'workflow');
    const name = workflow === undefined ? `\`${spec.name}\`` : `\`${workflow.name}\` (\`${spec.name}\`)`;
    return row(name, NEEDS[spec.identity], cell(spec.description));
  });
  return [row('tool', 'needs identity', 'what it does'), row('---', '---', '---'), ...lines].join('\n');
};

const program = await createProgram();

const commands = (): string => {
  const lines = program.commands.flatMap((command) =>
    command.commands.length > 0
      ? command.commands.map((sub) => row(`\`${command.name()} ${sub.name()}\``, cell(sub.description())))
      : [row(`\`${command.name()}\``, cell(command.description()))],
  );
  return [row('command', 'what it does'), row('---', '---'), ...lines].join('\n');
};

const settings = (): string => {
  const lines = Object.values(SETTINGS).map((setting) => {
    const fallback =
      setting.default === undefined || String(setting.default) === '' ? '' : `\`${String(setting.default)}\``;
    return row(
      `\`${setting.env}\``,
      'flag' in setting ? `\`${cell(setting.flag)}\`` : '',
      fallback,
      cell(setting.description),
    );
  });
  return [row('variable', 'flag of `serve`', 'default', 'meaning'), row('---', '---', '---', '---'), ...lines].join(
    '\n',
  );
};

/** What a caller may do by default, from the defaults of the settings. */
const limits = (): string => {
  const of = (setting: { readonly default: number }) => setting.default.toLocaleString('en');
  const line = (
    what: string,
    minute: { readonly default: number },
    hour: { readonly default: number },
    whose: string,
  ) => row(what, of(minute), of(hour), whose);
  return [
    row('calls', 'a minute', 'an hour', 'counted for'),
    row('---', '---', '---', '---'),
    line('that write', SETTINGS.callsPerMinute, SETTINGS.callsPerHour, 'the agent; without identity, the address'),
    line('that read', SETTINGS.readsPerMinute, SETTINGS.readsPerHour, 'the agent; without identity, the address'),
    line('that start a new agent', SETTINGS.startsPerMinute, SETTINGS.startsPerHour, 'the address'),
    line('that begin an MCP session', SETTINGS.startsPerMinute, SETTINGS.startsPerHour, 'the address'),
  ].join('\n');
};

/** The last run of `npm run efficacy`, as a table: what was simulated, what came out, and what the study found before. */
const efficacy = (): string => {
  const { figures } = JSON.parse(readFileSync('packages/server/efficacy/figures.json', 'utf8')) as {
    figures: (Omit<Figure, 'high'> & { high: number | null })[];
  };
  const lines = figures.map((kept) => {
    const figure = { ...kept, high: kept.high ?? Number.POSITIVE_INFINITY };
    return row(
      cell(figure.says),
      valueText(figure),
      intervalText(figure),
      cell(figure.study ?? ''),
      cell(figure.note ?? ''),
    );
  });
  return [row('what', 'ours', '95 %', 'study', 'what else'), row('---', '---', '---', '---', '---'), ...lines].join(
    '\n',
  );
};

/** Refusals after which a call may be made again, and how. */
const repeats = (): string => {
  const lines = Object.entries(contract.REPEATS).map(([code, how]) => {
    const { when, recovery } = contract.ERRORS[code as contract.ErrorCode];
    return row(`\`${code}\``, how, cell(when), cell(recovery.action));
  });
  return [row('`error_code`', 'then', 'means', 'do'), row('---', '---', '---', '---'), ...lines].join('\n');
};

/** Statuses of HTTP other than 200. */
const statuses = (): string => {
  const lines = Object.entries(REFUSALS).map(([status, says]) => row(status, cell(says)));
  return [row('status', 'means'), row('---', '---'), ...lines].join('\n');
};

/** How long each audit table keeps its rows. */
const retention = (): string => {
  const lines = [...RETENTION_DAYS].map(([table, days]) =>
    row(`\`audit.${table}\``, days === null ? 'for ever' : `${days} days`),
  );
  return [row('rows', 'kept'), row('---', '---'), ...lines].join('\n');
};

/**
 * What the SDK has to know of the contract when it runs: it is used without the contract, and without Zod. Of every name of
 * a tool: whether a call may be repeated as it is, or by which actions, and whether a key makes it repeatable.
 */
const sdkFacts = (): string => {
  const names = [
    ...Object.keys(TOOLS).map((name) => ({ name, tool: name, action: undefined })),
    ...contract.ALIASES.map(({ name, tool, inject }) => ({ name, tool, action: inject?.['action'] })),
  ].toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  const reads: string[] = [];
  const readsBy: Record<string, (string | undefined)[]> = {};
  const keyed: string[] = [];
  for (const { name, tool, action } of names) {
    const spec: contract.ToolSpec = TOOLS[tool as contract.ToolName];
    const reading = Object.entries(spec.actions ?? {}).flatMap(([one, { readOnly }]) => (readOnly ? [one] : []));
    if (spec.readOnly || (typeof action === 'string' && reading.includes(action))) reads.push(name);
    else if (action === undefined && reading.length > 0) {
      // A call without an action means the default one.
      const unsaid = reading.some((one) => one === spec.defaultAction) ? [undefined] : [];
      readsBy[name] = [...reading, ...unsaid];
    }
    if ('idempotency_key' in spec.input.shape) keyed.push(name);
  }
  const word = (value: string | undefined) => (value === undefined ? 'undefined' : JSON.stringify(value));
  const set = (values: readonly (string | undefined)[]) => `new Set([${values.map(word).join(', ')}])`;
  return `/** What this package has to know of the contract when it runs. Written by \`npm run check:docs -- --write\`; do not edit. */

export const VERSION = ${JSON.stringify(contract.VERSION)};

/** Names of tools that write nothing. */
export const READS: ReadonlySet<string> = ${set(reads)};

/** Names of tools that write nothing when they are called with one of these actions. */
export const READS_BY_ACTION: Readonly<Record<string, ReadonlySet<unknown>>> = {
${Object.entries(readsBy)
  .map(([name, actions]) => `  ${name}: ${set(actions)},`)
  .join('\n')}
};

/** Names of tools that do a call once for an \`idempotency_key\`, however often it comes. */
export const KEYED: ReadonlySet<string> = ${set(keyed)};
`;
};

/** Files that are made whole. */
const generated = { 'packages/sdk/src/facts.ts': sdkFacts };

const documents = {
  'README.md': { tools, commands, settings },
  'docs/scoring.md': { efficacy },
  'docs/agents.md': { limits, repeats, statuses },
  'docs/operations.md': { retention },
};

/** Prettier pads tables; only what the cells say is compared. */
const plain = (text: string) => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');

const write = process.argv.includes('--write');
/** Lines of a text, without what prettier may do to them. */
const bare = (text: string): string => text.replaceAll(/[\s,'"]/g, '');

for (const [file, render] of Object.entries(generated)) {
  const text = render();
  if (existsSync(file) && bare(readFileSync(file, 'utf8')) === bare(text)) {
    console.log(`${file} is in step with the code.`);
  } else if (write) {
    writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
    console.log(`${file} written anew.`);
  } else {
    console.error(`${file} is not what the contract says. Run "node checks/docs.ts --write".`);
    process.exitCode = 1;
  }
}

for (const [file, sections] of Object.entries(documents)) {
  const before = readFileSync(file, 'utf8');
  let after = before;
  for (const [name, render] of Object.entries(sections)) {
    const marked = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!marked.test(after)) throw new Error(`${file} has no section <!-- ${name} -->`);
    after = after.replace(marked, (_, open: string, close: string) => `${open}\n\n${render()}\n\n${close}`);
  }
  if (plain(after) === plain(before)) console.log(`${file} is in step with the code.`);
  else if (write) {
    writeFileSync(file, after);
    console.log(`${file} written anew.`);
  } else {
    const known = new Set(plain(before).split('\n'));
    for (const line of plain(after).split('\n')) if (!known.has(line)) console.error(`${file} lacks: ${line}`);
    console.error('Run "node checks/docs.ts --write".');
    process.exitCode = 1;
  }
}
