// A registry with a key of its own, and a server that follows a channel of it, for the tests.
//
// The one decision to know: everything is made by the command itself, in a folder that goes when the test ends.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { command, site } from '../build/paths.mjs';

/** Where the registry is, and who may sign in it, as the tests have them. */
export const trusted = ['--registry', 'registry', '--trust', 'release.key.pub'];
export const signed = [...trusted, '--key', 'release.key'];

/** Runs the command in a folder; what it answers as JSON. */
export async function run(folder, ...arguments_) {
  const { stdout } = await promisify(execFile)(command, [...arguments_, '--json'], { cwd: folder, maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
}

/** Makes a registry in a folder, with a key of its own; `component` is left out for the shipped one. */
export async function publish(folder, list) {
  await run(folder, 'keygen', '--out', 'release.key');
  for (const { name, version, component, spec } of list) {
    const own = component ? ['--transform', 'component.wasm'] : [];
    if (component) fs.writeFileSync(path.join(folder, 'component.wasm'), component);
    fs.writeFileSync(path.join(folder, 'transform.toml'), spec);
    await run(folder, 'publish', name, '--version', version, '--spec', 'transform.toml', ...own, '--no-code', ...signed);
  }
}

/** A folder that goes when `body` ends. */
export async function inFolder(body) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  try {
    return await body(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Serves the page over the folder's lake with a release or a channel while `body` runs; `body` gets the address. */
export async function serving(folder, transform, body) {
  const server = spawn(command, ['serve', '--lake', 'lake', '--port', '0', '--page', site, '--transform', transform, ...trusted, '--json'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((done) => server.once('exit', done));
  try {
    const { address } = JSON.parse(String(await new Promise((begun) => server.stdout.once('data', begun))));
    return await body(address);
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
}
