// A browser with the page open, for the tests.
//
// The one decision to know: every message on the console and every failed request is kept, and each test ends with
// asserting that there is none.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { output } from '../build/paths.mjs';
import { serve } from './server.mjs';

/** Debian's Chromium, or the one named. */
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
// Root, as in containers, cannot have Chromium's sandbox.
if (os.userInfo().uid === 0) args.push('--no-sandbox');

/** `address`: of a page that something else serves, `allowed`: origins that it may send to besides; else options of the server. */
export async function start({ address, allowed = [], ...options } = {}) {
  if (!fs.existsSync(executablePath)) {
    throw new Error(`no browser at ${executablePath}\n  hint: \`apt-get install chromium\`, or set CHROMIUM to the path of one`);
  }
  const server = address ? { address, stop: () => {} } : await serve(options);
  const browser = await chromium.launch({ executablePath, args, headless: true });
  fs.mkdirSync(output, { recursive: true });
  return {
    address: server.address,
    /** A fresh page. */
    async open(settings = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...settings });
      const page = await context.newPage();
      const said = [];
      page.on('console', (message) => ['error', 'warning'].includes(message.type()) && said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      page.on('requestfailed', (request) => said.push(`failed: ${request.url()}`));
      page.on('request', (request) => !/^(blob:|data:)/.test(request.url()) && ![server.address, ...allowed].some((place) => request.url().startsWith(place)) && said.push(`left the page: ${request.url()}`));
      await page.goto(server.address);
      return { page, quiet: () => assert.deepEqual(said, []), close: () => context.close() };
    },
    async stop() {
      await browser.close();
      server.stop();
    },
  };
}

/** Puts a file on the page, as picking it does. */
export async function pick(page, name, content) {
  await page.locator('#pick').setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });
}

/** Waits until the file that is shown was made or failed. */
export async function settled(page) {
  await page.waitForSelector('.chip.on .dot.done, .chip.on .dot.failed, .chip.on .dot.cancelled', { state: 'attached' });
}

export async function tab(page, name) {
  await page.getByRole('tab', { name: new RegExp(`^${name}`) }).click();
}

export async function shot(page, name) {
  await page.screenshot({ path: path.join(output, `${name}.png`) });
}
