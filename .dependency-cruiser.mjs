import { FLOORS } from './checks/floors.ts';

const src = 'packages/server/src';
const folders = FLOORS.flat();

const upward = FLOORS.flatMap((floor, level) => {
  const above = FLOORS.slice(level + 1).flat();
  if (above.length === 0) return [];
  return [
    {
      name: `floor-${level + 1}-imports-upward`,
      comment: `${floor.join(', ')} may not import from a floor above`,
      severity: 'error',
      from: { path: `^${src}/(${floor.join('|')})/`, pathNot: '\\.test\\.ts$' },
      to: { path: `^${src}/(${above.join('|')})/` },
    },
  ];
});

export default {
  forbidden: [
    ...upward,
    {
      name: 'only-the-face',
      comment:
        'Another folder is entered through its index.ts, and by what serves its tools through its tools.ts; rules, which may not load I/O, find what an agent is and how ' +
        'it stands in the pure files of agents/. Test helpers only by tests, see testing-is-for-tests',
      severity: 'error',
      from: { path: `^${src}/(${folders.join('|')})/` },
      to: {
        path: `^${src}/(${folders.join('|')})/`,
        pathNot: [
          `^${src}/$1/`,
          '/(index|tools)\\.ts$',
          '/testing/',
          `^${src}/agents/(agent|columns|coverage|record|standing)\\.ts$`,
        ],
      },
    },
    {
      name: 'contract-stands-alone',
      comment: 'The contract imports nothing of ours and does no I/O',
      severity: 'error',
      from: { path: '^packages/contract/src' },
      to: { path: '^(packages/server|node:)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'clients-know-the-contract-only',
      comment: 'The SDK and the console are clients: of ours they import the contract only',
      severity: 'error',
      from: { path: '^packages/(sdk|console)/src', pathNot: '\\.test\\.tsx?$' },
      to: { path: '^packages/(server|sdk|console)/', pathNot: '^packages/$1/src' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'Test helpers never reach the product',
      severity: 'error',
      from: { path: `^(${src}|packages/contract/src)`, pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { path: '/testing/' },
    },
    {
      name: 'deciders-are-pure',
      comment: 'Rules import no I/O: neither Node modules nor the database, the clock or the network',
      severity: 'error',
      from: { path: `^${src}/(checkin|identity|lifecycle|dialectic|outcomes|calibration|knowledge|feed)/rules/` },
      to: {
        path: `^(${src}/(postgres|agents/(?!(agent|columns|coverage|record|standing)\\.ts)|flags|channel)|node_modules/(pg|fastify|pino)|node:(?!crypto))`,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'A module that nothing imports is dead, unless it is a program or a test',
      severity: 'error',
      from: { orphan: true, pathNot: '(\\.test\\.tsx?|/main\\.tsx?|\\.d\\.ts|vite\\.config\\.ts)$' },
      to: {},
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^packages' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
