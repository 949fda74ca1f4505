// The pictures of the manual: each tab of the page, as it is.
//
// `UPDATE=1` makes them. The one decision to know: without it they are only looked for, because a browser and its fonts draw
// each letter a little otherwise on each machine.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../build/paths.mjs';
import { settled, tab } from './browser.mjs';
import { smaller } from './png.mjs';
import { pages } from './steps.mjs';

const folder = path.join(root, 'docs', 'pictures');
const MOST_BYTES = 400_000;

/** Each tab with an example that has something to show there, and what is to be seen before the picture is taken. */
const PICTURES = {
  Rows: ['Orders', (page) => page.getByText('Mei Ivanova').first().waitFor()],
  Schema: ['Orders', (page) => page.getByText('INT64').first().waitFor()],
  Files: ['Sales', (page) => page.locator('.bars svg').first().waitFor()],
  Rejects: ['Sales', (page) => page.locator('.rejects mark').first().waitFor()],
  Spec: ['Sales', (page) => page.getByRole('textbox', { name: 'Spec' }).waitFor()],
  Query: ['Orders', asked],
  Compare: ['Sales', compared],
  'Take away': ['Sales', (page) => page.locator('#receipt').waitFor()],
};

async function asked(page) {
  await page.locator('.questions button').first().click({ timeout: 60_000 });
  await page.locator('.result .rows tbody td').first().waitFor();
}

async function compared(page) {
  await page.getByLabel('Spec of B').selectOption({ label: 'proposed from the file' });
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.locator('.found .plain').first().waitFor();
}

const fileOf = (name) => `page-${name.toLowerCase().replace(' ', '-')}.png`;

if (process.env.UPDATE === '1') {
  const on = pages();
  for (const [name, [example, ready]] of Object.entries(PICTURES)) {
    on(`a picture is taken of ${name}`, { viewport: { width: 1280, height: 600 }, deviceScaleFactor: 1 }, async (page) => {
      await page.getByRole('button', { name: new RegExp(`^${example}`) }).click();
      await settled(page);
      await page.getByRole('button', { name: 'No', exact: true }).click();
      await tab(page, name);
      await ready(page);
      await page.mouse.move(0, 0);
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(folder, fileOf(name)), smaller(await page.screenshot()));
    });
  }
}

test('the manual has a picture of each tab, and shows it', () => {
  const manual = fs.readFileSync(path.join(root, 'docs', 'page.md'), 'utf8');
  const there = fs.readdirSync(folder).filter((name) => name.startsWith('page-'));
  assert.deepEqual(there.sort(), Object.keys(PICTURES).map(fileOf).sort(), 'UPDATE=1 makes them');
  for (const name of there) assert.ok(manual.includes(`](pictures/${name})`), `docs/page.md shows ${name}`);
  const bytes = there.reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
});
