// Serves the mock interfaces and, when it has been built, the application itself, as the stack does:
// any unknown path without a dot answers with index.html. `node mock/server.mjs [port]`.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { features, identities } from './city.mjs';
import { ended, refusedProblem, routes } from './answers.mjs';

const port = Number(process.argv[2] ?? 8099);
const root = join(import.meta.dirname, '../../dmi_visualisation/static');
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// The policy that the stack sends with its pages; what it forbids must fail here too.
const policy = "default-src 'self'; img-src 'self' data: blob: https://service.pdok.nl; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self' https://service.pdok.nl; frame-ancestors 'none'";
const delay = Number(process.env.MOCK_DELAY ?? 0);

function match(pattern, path) {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const found = {};
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith(':')) found[part.slice(1)] = decodeURIComponent(given[i]);
    else if (part !== given[i]) return null;
  }
  return found;
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return (request.headers['content-type'] ?? '').includes('json') && text ? JSON.parse(text) : {};
}

function events(ids, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const open = new Set(ids);
  const timer = setInterval(() => {
    for (const id of open) {
      if (ended(id)) {
        open.delete(id);
        response.write(`event: ended\ndata: ${JSON.stringify({ layer: id, ...refusedProblem(id).problem })}\n\n`);
        continue;
      }
      const list = features(id).features.slice(0, 3).map(({ properties, geometry }) => ({
        ...properties, lon: geometry.coordinates[0], lat: geometry.coordinates[1],
        result: typeof properties.result === 'number' ? Math.max(0, Math.round(properties.result + (Math.random() - 0.5) * 6)) : null,
      }));
      response.write(`event: observation\ndata: ${JSON.stringify({ layer: id, features: list })}\n\n`);
    }
    if (open.size === 0) {
      clearInterval(timer);
      response.end();
    }
  }, 2_000);
  response.on('close', () => clearInterval(timer));
}

function answerFile(path, response) {
  const wanted = normalize(join(root, path));
  const file = wanted.startsWith(root) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : extname(path) === '' ? join(root, 'index.html') : null;
  if (!file || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy });
  createReadStream(file).pipe(response);
}

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  const service = /^\/(exchange|ingest|platform|visualisation|support-centre)\//.test(url.pathname);
  if (!service) return answerFile(url.pathname, response);
  if (url.pathname === '/visualisation/v1/events') return events(url.searchParams.getAll('layer'), response);
  for (const [method, pattern, make] of routes) {
    const parts = method === request.method && match(pattern, url.pathname);
    if (!parts) continue;
    const token = (request.headers.authorization ?? '').replace('Bearer mock-', '');
    const who = identities.find((one) => one.id === token) ?? { id: '', participant: '' };
    const answer = make({ ...parts, query: url.searchParams, body: await read(request), who });
    await new Promise((resolve) => setTimeout(resolve, delay));
    if (answer?.bytes) response.writeHead(200, { 'content-type': answer.type }).end(answer.bytes);
    else if (answer?.problem) response.writeHead(answer.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(answer.problem));
    else if (typeof answer?.status === 'number') response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.json ? JSON.stringify(answer.json) : undefined);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    return undefined;
  }
  response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status: 404, detail: 'not mocked' }));
  return undefined;
}).listen(port, '127.0.0.1', () => console.log(`mock on http://127.0.0.1:${port}`));
