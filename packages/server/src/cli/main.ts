#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiled modules are kept between starts: most of a warm start would otherwise be stripping types.
enableCompileCache();
const commands = await import('./commands.ts');
await commands.runCommand(process.argv);
