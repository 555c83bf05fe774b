import { defineConfig } from 'vite';

/** The console is served below /dashboard/; files are named by their content, so that browsers may keep them for ever. */
export default defineConfig({
  base: '/dashboard/',
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', reportCompressedSize: false },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
