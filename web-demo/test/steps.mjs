// Steps that several tests of the page share.
//
// Not for starting browsers (`browser.mjs`). The one decision to know: each test has a page of its own, whose console
// must stay silent.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { web } from '../build/paths.mjs';
import { start } from './browser.mjs';

/** How the page is looked at. */
export const LOOKS = [
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ['dark phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' }],
];

/** A browser for this file's tests, with `server` as `serve` has it; answers with what makes one: a page of its own, whose console must stay silent. */
export function pages(server = {}) {
  let browser;
  before(async () => (browser = await start(server)));
  after(() => browser.stop());
  return (name, options, body) =>
    test(name, { timeout: 120_000 }, async () => {
      const { page, quiet, close } = await browser.open(options);
      try {
        await body(page, browser);
        quiet();
      } finally {
        await close();
      }
    });
}

/** Runs axe in a world of its own, where the page's policy does not hold it back; whatever it finds is wrong, however slight. */
export async function accessible(page, where) {
  const source = fs.readFileSync(path.join(web, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, impact, nodes }) => [`${id}, ${impact}`, nodes.map(({ html }) => html.slice(0, 160))]), [], where);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!wide, `${where}: the page itself never scrolls sideways`);
}

/** Puts files on the page as dropping them does: name and content. */
export async function dropFiles(page, files, target = 'window') {
  const list = Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('base64')]);
  await page.evaluate(
    ([entries, selector]) => {
      const data = new DataTransfer();
      for (const [name, base64] of entries) data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      const place = selector === 'window' ? window : document.querySelector(selector);
      place.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true, bubbles: true }));
    },
    [list, target],
  );
}

/** What the rows of a grid show, cell by cell. */
export function cells(page, name) {
  return page
    .getByRole('region', { name, exact: true })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
}

/** The bytes of what a click downloads. */
export async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) };
}
