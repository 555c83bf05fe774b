import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** The TypeScript files of a folder that are no tests. */
export const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ts$/.test(name) && !/test|testing/.test(name))
    .map((name) => `${folder}/${name}`);

/** The sentences of a source, and its lists of tools that help. SQL is no text for anybody. */
export const textsOf = (file: string): string[] => {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    const helps =
      isText && ts.isArrayLiteralExpression(node.parent) && /related_tools|workflow/.test(node.parent.parent.getText());
    if (isText && (node.text.includes(' ') || helps)) texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return texts.filter((text) => !/\b(SELECT|INSERT|UPDATE|CREATE)\b/.test(text));
};
