import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { defaultDataDir } from './data-dir.ts';

const root = temporaryFolder('data-dir');
afterAll(() => rmSync(root, { recursive: true, force: true }));

const home = join(root, 'home');
const project = join(root, 'project');
const deep = join(project, 'packages', 'one');
mkdirSync(deep, { recursive: true });
mkdirSync(home);

const at = (cwd: string, env: Record<string, string> = {}, platform: NodeJS.Platform = 'linux') =>
  defaultDataDir({ cwd, env, platform, home });

/** The mark of a cluster. */
const fill = (folder: string): void => {
  mkdirSync(join(folder, 'pg'), { recursive: true });
  writeFileSync(join(folder, 'pg', 'PG_VERSION'), '18\n');
};

test('without data anywhere new ones begin in the data folder of the user, wherever the command is run', () => {
  const standard = join(home, '.local', 'share', 'breakwater');
  expect(at(deep)).toBe(standard);
  expect(at(root)).toBe(standard);
  expect(at(root, { XDG_DATA_HOME: '/xdg' })).toBe('/xdg/breakwater');
  expect(at(root, { XDG_DATA_HOME: 'relative' })).toBe(standard);
  expect(at(root, {}, 'darwin')).toBe(join(home, 'Library', 'Application Support', 'breakwater'));
});

test('a .breakwater with data is found from every folder below it; one without is not taken for data', () => {
  mkdirSync(join(deep, '.breakwater', 'fleet'), { recursive: true });
  expect(at(deep)).toBe(join(home, '.local', 'share', 'breakwater'));
  fill(join(project, '.breakwater'));
  expect(at(deep)).toBe(join(project, '.breakwater'));
  expect(at(root), 'not from outside').toBe(join(home, '.local', 'share', 'breakwater'));
});
