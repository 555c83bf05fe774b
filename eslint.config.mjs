import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Lint: what the compiler cannot see. Layout is Prettier's, import floors are dependency-cruiser's. */
export default tseslint.config(
  { ignores: ['node_modules/**', '.breakwater/**', '**/dist/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.mjs'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // `void promise` marks a promise whose failure is handled elsewhere; a bare floating promise is a bug.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Handlers must be async to satisfy their interface, whether or not they wait for anything.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      // `== null` asks for both kinds of absence at once.
      // `void call()` in an arrow says that the value is not wanted, whatever its type is today.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Taking a key out of an object by naming it is how the rest is had.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    // Programs that talk to a person on a terminal write to it; libraries never do.
    files: [
      'packages/server/{demo,bench,limits,clocks,efficacy,fuzz,golden,crash,mutants,nodes}/**',
      'packages/server/src/cli/**',
      'packages/server/testing/program.ts',
      'checks/**',
      'examples/**',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.test.ts', '**/testing/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/unbound-method': 'off' },
  },
  { files: ['**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
);
