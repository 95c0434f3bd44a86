/// <reference types="node" />
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** What `make up` asks of the build besides its own line. */
const asked = /npm run --silent build -- (.+)$/m.exec(readFileSync('../../../Makefile', 'utf8'))?.[1]?.split(' ') ?? [];

function build(root: string) {
  const folder = mkdtempSync(join(tmpdir(), 'dmi-build-'));
  try {
    const done = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', root, ...asked, '--outDir', folder, '--emptyOutDir'], { encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' } });
    return { status: done.status, said: `${done.stdout}${done.stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('the build says nothing when it succeeds', () => {
  expect(build('.')).toEqual({ status: 0, said: '' });
}, 60_000);

it('the build says what is wrong when it fails', () => {
  const { status, said } = build('tests');
  expect(status).not.toBe(0);
  expect(said).toContain('index.html');
}, 60_000);
