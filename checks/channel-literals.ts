import ts from 'typescript';

/** The families of the channel. A name in quotes within a text counts, too: that is how SQL names one. */
const NAMED = /(?:^|['"`])((?:coordination_failure|measurement|telemetry)\.[\w.%]*)/;

/** Each string or template of a file that names a type of the channel: `path:line  name`. Comments and regexes are free. */
export const namedTypes = (source: ts.SourceFile): string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const name = NAMED.exec(node.text)?.[1];
      if (name !== undefined) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
        found.push(`${source.fileName}:${line + 1}  ${name}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};
