import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { consoleRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { oneHeader } from './evidence.ts';
import { serveRoute } from './route.ts';

const BUILT = fileURLToPath(new URL('../../../console/dist', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page may load and call this server alone, and nobody may frame it. Styles are set by classes and by the style
 * objects of elements, which this allows.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Smaller forms in which a file is sent, the smallest first. */
const FORMS = ['br', 'gzip'] as const;
type Form = (typeof FORMS)[number];

/** A built file in the forms in which it is sent. */
interface Built {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly forms: Map<Form, Promise<Buffer>>;
}

const read = (path: string): Built => {
  const plain = readFileSync(path);
  return {
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    // Weak, since the forms of one file are not the same bytes.
    etag: `W/"${hash('sha256', plain, 'base64url').slice(0, 22)}"`,
    plain,
    forms: new Map(),
  };
};

/** The page and its files by address; undefined before "npm run build". Read at the first request, and then kept. */
const readBuilt = (
  folder: string,
): { readonly page: Built; readonly files: ReadonlyMap<string, Built> } | undefined => {
  const page = join(folder, 'index.html');
  if (!existsSync(page)) return undefined;
  const assets = join(folder, 'assets');
  const names = existsSync(assets) ? readdirSync(assets) : [];
  return {
    page: read(page),
    files: new Map(names.map((name) => [`/dashboard/assets/${name}`, read(join(assets, name))])),
  };
};

const COMPRESS: Readonly<Record<Form, (plain: Buffer) => Promise<Buffer>>> = {
  br: (plain) => promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (plain) => promisify(gzip)(plain, { level: 9 }),
};

/** Made once, on a thread of its own: agents check in meanwhile. */
const inForm = (file: Built, form: Form): Promise<Buffer> => {
  const known = file.forms.get(form);
  if (known !== undefined) return known;
  const made = COMPRESS[form](file.plain);
  file.forms.set(form, made);
  return made;
};

const isAccepted = (accepted: string, form: string): boolean =>
  accepted.split(',').some((part) => {
    const [name, quality] = part.trim().split(/\s*;\s*q=/i);
    return name?.toLowerCase() === form && Number(quality ?? 1) > 0;
  });

/** Whether the browser has the file already; who sits between may have made its tag a weak one. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(',').some((one) => [etag, etag.slice('W/'.length), '*'].includes(one.trim()));

const sendFile = async (request: FastifyRequest, reply: FastifyReply, file: Built): Promise<FastifyReply> => {
  void reply.header('etag', file.etag).header('vary', 'accept-encoding').type(file.type);
  if (isKnown(oneHeader(request.headers, 'if-none-match'), file.etag)) return reply.code(304).send();
  const accepted = oneHeader(request.headers, 'accept-encoding') ?? '';
  const form = FORMS.find((name) => isAccepted(accepted, name));
  if (form === undefined) return reply.send(file.plain);
  const smaller = await inForm(file, form);
  return reply.header('content-encoding', form).send(smaller);
};

/**
 * The built console at `/dashboard`. Addresses below it that are no file are pages of the console, which finds its way by
 * them; the browser keeps files, whose names change with their content, and asks for the page each time. A path is looked up
 * among the files that were built, and never opened.
 */
export const registerConsole = (app: FastifyInstance, folder = BUILT): void => {
  let built: ReturnType<typeof readBuilt>;
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    built ??= readBuilt(folder);
    void reply
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer');
    if (built === undefined) {
      return reply
        .code(404)
        .type('text/plain; charset=utf-8')
        .send('The console is not built here. Run "npm run build", and load this page again.\n');
    }
    const path = request.url.split('?', 1)[0] ?? '';
    const file = built.files.get(path);
    if (file !== undefined) {
      return sendFile(request, reply.header('cache-control', 'public, max-age=31536000, immutable'), file);
    }
    if (path.startsWith('/dashboard/assets/')) {
      // A page of an older build asks for its files; the page itself is asked for anew each time.
      return reply.code(404).type('text/plain; charset=utf-8').send('No such file. Load the page again.\n');
    }
    return sendFile(request, reply.header('cache-control', 'no-cache'), built.page);
  };
  serveRoute(app, consoleRoutes.page, serve);
  serveRoute(app, consoleRoutes.below, serve);
};
