#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiled modules are kept between starts: most of a warm start would otherwise be stripping types.
enableCompileCache();
const { runCommand } = await import('./commands.ts');
await runCommand(process.argv);
