// The smallest server of static files: what any bucket or CDN is to the page.
//
// The one decision to know: it sends the page's own policy with every answer, so that the worker is held to it too.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { site } from '../build/paths.mjs';

const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', wasm: 'application/wasm', svg: 'image/svg+xml', json: 'application/json' };

/** The policy that `index.html` declares. */
export function policy() {
  const html = fs.readFileSync(path.join(site, 'index.html'), 'utf8');
  return /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1] ?? '';
}

/**
 * Serves the built page on a free port of the loopback; answers with its address and how to stop. `head` is added to the
 * page's head; `api` may answer a path with `{ status, body }` or nothing.
 */
export async function serve({ head = '', api = () => null } = {}) {
  const header = policy();
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const answer = name.startsWith('/api/') ? api(name.slice(1)) : null;
    if (answer) {
      response.writeHead(answer.status, { 'content-security-policy': header }).end(answer.body);
      return;
    }
    const file = path.join(site, name.endsWith('/') ? `${name}index.html` : name);
    if (!file.startsWith(site) || !fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[path.extname(file).slice(1)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': header });
    if (type === 'text/html') response.end(fs.readFileSync(file, 'utf8').replace('<head>', `<head>${head}`));
    else fs.createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}
