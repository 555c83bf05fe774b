import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const onPath = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(existsSync);

/** Debian's package, where we may install it: a checkout on a bare machine tests itself. */
const install = (): void => {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    spawnSync('apt-get', args, { env, stdio: 'ignore' });
  }
};

const executable = (): string => {
  const path = process.env['BREAKWATER_TEST_CHROMIUM'] ?? onPath() ?? (install(), onPath());
  if (path === undefined) {
    throw new Error(
      'The tests of the console need Chromium. Install it (Debian: apt-get install chromium), or name it with ' +
        'BREAKWATER_TEST_CHROMIUM.',
    );
  }
  return path;
};

/** A headless Chromium that talks to nobody but the page; installs Debian's package when it is missing and may. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: executable(),
    args: [
      // Chromium as root knows no sandbox; the pages are our own.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
