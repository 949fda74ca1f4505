// Nothing on the page goes away or moves by itself: files over a reload, places while scrolling, the page's end.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pick, settled, shot, tab } from './browser.mjs';
import { dropFiles, pages } from './steps.mjs';

const on = pages();
const spec = (page) => page.getByRole('textbox', { name: 'Spec' });
const hash = (page) => new URL(page.url()).hash;
const QUESTION = 'Keep files and specs in this browser, so that a reload does not lose them?';

/** What this browser holds of the page. */
const stored = (page) => page.evaluate(async () => ({ answers: { ...localStorage }, databases: (await indexedDB.databases()).map(({ name }) => name) }));

/** Questions that the browser asks, all of them answered with no. */
function questions(page) {
  const asked = [];
  page.on('dialog', (dialog) => (asked.push(dialog.type()), dialog.dismiss()));
  return asked;
}

on('files, specs and mended records come back after a reload, and no question is asked', {}, async (page) => {
  const asked = questions(page);
  await pick(page, 'a b.csv', 'id\n1\n');
  await settled(page);
  await page.getByText(QUESTION).waitFor();
  await shot(page, 'keep-question');
  assert.deepEqual(await stored(page), { answers: {}, databases: [] }, 'nothing is written before the answer');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('Kept in this browser: 1 file, 5 B.').waitFor();
  await tab(page, 'Spec');
  await spec(page).fill('[[table]]\nname = "mine"\n');
  await page.getByText('The preview follows this spec.').waitFor();
  await pick(page, 'feed.ndjson', '{"id": 1}\n{"id": 2,}\n{"id": 3}\n');
  await settled(page);
  await tab(page, 'Rejects');
  await page.getByRole('button', { name: 'Edit record 2' }).click();
  await page.getByRole('textbox', { name: 'Text of record 2' }).fill('{"id": 2}');
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.getByText('Accepted: it makes 1 row.').waitFor();
  await page.getByText('Kept in this browser: 2 files, 36 B.').waitFor();
  await shot(page, 'keep-kept');
  assert.equal(hash(page), '#rejects/feed.ndjson');
  await page.reload();
  await page.getByText('Accepted: it makes 1 row.').waitFor();
  assert.deepEqual(asked, []);
  assert.equal(hash(page), '#rejects/feed.ndjson');
  await page.getByRole('button', { name: 'a b.csv', exact: true }).click();
  await tab(page, 'Spec');
  assert.equal(await spec(page).inputValue(), '[[table]]\nname = "mine"\n');
  await page.reload();
  await page.getByText('The preview follows this spec.').waitFor();
  assert.equal(hash(page), '#spec/a%20b.csv');
  assert.deepEqual(await page.locator('.chip button[aria-pressed]').allInnerTexts(), ['a b.csv', 'feed.ndjson']);
  assert.deepEqual(asked, []);
});

on('what is removed, and a spec that is taken back, stay so after a reload', {}, async (page) => {
  for (const name of ['a.csv', 'b.csv']) {
    await pick(page, name, 'id\n1\n');
    await settled(page);
  }
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('Kept in this browser: 2 files').waitFor();
  await tab(page, 'Spec');
  const proposed = await spec(page).inputValue();
  await spec(page).fill('[[table]]\nname = "mine"\n');
  await page.getByText('The preview follows this spec.').waitFor();
  await page.getByRole('button', { name: 'Back to the proposal' }).click();
  await page.getByText('Proposed from the file').waitFor();
  await page.getByRole('button', { name: 'Remove a.csv' }).click();
  await page.getByText('Kept in this browser: 1 file').waitFor();
  await page.reload();
  await page.getByText('Proposed from the file').waitFor();
  assert.equal(await spec(page).inputValue(), proposed);
  assert.deepEqual(await page.locator('.chip button[aria-pressed]').allInnerTexts(), ['b.csv']);
});

on('a yes is taken back, and nothing is left of what was kept', {}, async (page, browser) => {
  const asked = questions(page);
  await pick(page, 'a.csv', 'id\n1\n');
  await settled(page);
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('Kept in this browser: 1 file').waitFor();
  await page.reload();
  await settled(page);
  // Another window of the page, which has kept it as well.
  const other = await page.context().newPage();
  await other.goto(browser.address);
  await other.getByText('Kept in this browser: 1 file').waitFor();
  await settled(other);
  await page.getByRole('button', { name: 'Stop keeping' }).click();
  await other.getByRole('button', { name: 'Keep in this browser' }).waitFor();
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 0);
  // What is on the page is still there, whole; and it is asked for again, since it would be lost.
  await tab(page, 'Spec');
  await spec(page).fill('[[table]]\nname = "mine"\n');
  await page.getByText('The preview follows this spec.').waitFor();
  await page.getByText(/^1 record → 0 rejected/).waitFor();
  assert.deepEqual(await stored(page), { answers: { 'lakegate-keep': 'no' }, databases: [] });
  await page.close({ runBeforeUnload: true });
  await other.waitForTimeout(500);
  assert.deepEqual(asked, ['beforeunload']);
  await other.reload();
  await other.getByRole('heading', { name: 'See the Parquet before anything is uploaded' }).waitFor();
});

on('a no is not asked about again, and can be changed', {}, async (page) => {
  await pick(page, 'a.csv', 'id\n1\n');
  await settled(page);
  await page.getByText(QUESTION).waitFor();
  await page.getByRole('button', { name: 'No', exact: true }).click();
  await page.getByText(QUESTION).waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('heading', { name: 'See the Parquet before anything is uploaded' }).waitFor();
  await pick(page, 'b.csv', 'id\n1\n');
  await settled(page);
  assert.equal(await page.getByText(QUESTION).count(), 0);
  assert.deepEqual(await stored(page), { answers: { 'lakegate-keep': 'no' }, databases: [] });
  await page.getByRole('button', { name: 'Keep in this browser' }).click();
  await page.getByText('Kept in this browser: 1 file').waitFor();
});

on('a file that is too large to be kept is named', {}, async (page) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  try {
    const large = path.join(folder, 'large.json');
    fs.writeFileSync(large, '}');
    fs.truncateSync(large, 2 ** 30);
    await pick(page, 'a.csv', 'id\n1\n');
    await settled(page);
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.locator('#pick').setInputFiles(large);
    await page.getByText('large.json is not kept: all of them together may have 1.0 GiB.').waitFor();
    await page.getByText('Kept in this browser: 1 file, 5 B.').waitFor();
    await page.getByRole('button', { name: 'Remove a.csv' }).click();
    await page.getByText('Kept in this browser: 1 file, 1.0 GiB.').waitFor();
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

on('the address names the shown file, and Back goes back between files', {}, async (page) => {
  await dropFiles(page, { 'a.csv': 'id\n1\n', 'b.csv': 'id\n2\n' });
  await settled(page);
  const shown = () => page.locator('.chip.on').innerText();
  assert.equal(hash(page), '#rows/b.csv');
  await page.getByRole('button', { name: 'a.csv', exact: true }).click();
  await tab(page, 'Schema');
  await pick(page, 'b.csv', 'id\n3\n');
  await settled(page);
  assert.equal(hash(page), '#schema/b.csv~2');
  await page.goBack();
  assert.match(await shown(), /^a\.csv/);
  assert.match(await page.locator('[role=tab][aria-selected=true]').innerText(), /^Schema/);
  await page.goBack();
  assert.equal(hash(page), '#rows/a.csv');
  await page.goBack();
  assert.equal(hash(page), '#rows/b.csv');
  assert.match(await shown(), /^b\.csv/);
  await page.getByRole('button', { name: 'Remove a.csv' }).click();
  await page.goForward();
  // It is gone: what is shown stays, and is what the address says.
  await page.waitForFunction(() => location.hash === '#rows/b.csv');
});

/** Two files: one of few records, one of many records and columns, with rejected ones among them, and a text that needs room. */
const MORE = Object.fromEntries(Array.from({ length: 50 }, (_, column) => [`more_${column}`, column]));
const SMALL = ['small.csv', 'id,total\n1,2.5\n2,3.5\n'];
const LONG = [
  'long.ndjson',
  Array.from({ length: 12_000 }, (_, n) => (n % 200 === 150 ? '{"id": 1,}' : JSON.stringify({ id: n, text: 'x'.repeat(n % 61), more: { city: `city ${n % 7}`, at: '2025-01-31', open: n % 2 === 0 }, ...MORE }))).join('\n'),
];
const TABS = ['Rows', 'Schema', 'Files', 'Rejects', 'Spec', 'Query', 'Compare', 'Take away'];

/** Opens a tab and waits for what it has to show. */
async function opened(page, name) {
  await tab(page, name);
  if (name === 'Query') {
    await page.locator('.questions button').first().waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('.result .rows tbody td').first().waitFor();
  }
  if (name === 'Take away') await page.locator('#receipt').waitFor();
}

/** What is wrong with how the page scrolls. */
function scrolling() {
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > element.clientHeight + 1;
  const above = (element) => (element.parentElement ? [element.parentElement, ...above(element.parentElement)] : []);
  const root = document.scrollingElement;
  const main = document.querySelector('main');
  const all = [...document.querySelectorAll('body *')];
  const wrong = all.filter((element) => scrolls(element) && above(element).some(scrolls)).map((element) => `${element.tagName}.${element.className} scrolls within what scrolls`);
  if (root.scrollHeight > root.clientHeight) wrong.push(`the page is ${root.scrollHeight - root.clientHeight} px longer than its window`);
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth - root.clientWidth} px wider than its window`);
  if (main.scrollWidth > main.clientWidth) wrong.push('what is below the head scrolls sideways');
  const seen = [...main.querySelectorAll('*')].filter((element) => !element.closest('.unseen') && !above(element).some((one) => one !== main && /auto|scroll|hidden/.test(getComputedStyle(one).overflowY)));
  const end = Math.max(...seen.map((element) => element.getBoundingClientRect().bottom)) - main.getBoundingClientRect().top + main.scrollTop;
  const beyond = main.scrollHeight - Math.max(main.clientHeight, end + 20);
  if (beyond > 1) wrong.push(`${beyond} px below the content`);
  return wrong;
}

for (const [width, height] of [[390, 844], [768, 1024], [1280, 800], [1920, 1080]]) {
  on(`the page ends where its content ends, and nothing scrolls within what scrolls: ${width} px`, { viewport: { width, height } }, async (page) => {
    assert.deepEqual(await page.evaluate(scrolling), [], 'empty');
    const wrong = {};
    for (const [name, content] of [SMALL, LONG]) {
      await pick(page, name, content);
      await settled(page);
      for (const view of TABS) {
        await opened(page, view);
        const found = await page.evaluate(scrolling);
        if (found.length > 0) wrong[`${name} ${view}`] = found;
        await shot(page, `ends-${width}-${name.split('.')[0]}-${view.toLowerCase().replace(' ', '-')}`);
      }
    }
    assert.deepEqual(wrong, {});
  });
}

/** Widths of the columns of the table of rows, in its head and in its first and last row. */
const widths = (page) =>
  page.locator('.rows').evaluate((table) => [table.tHead.rows[0], table.tBodies[0].rows[0], [...table.tBodies[0].rows].at(-1)].map((row) => [...row.cells].map((cell) => cell.getBoundingClientRect().width)));

/** Scrolls to a share of the whole, and waits for the rows that are there. */
async function scrolledTo(page, share) {
  await page.locator('.scroller').evaluate((element, to) => (element.scrollTop = to * element.scrollHeight), share);
  await page.waitForTimeout(200);
  await page.waitForFunction(() => document.querySelector('.rows td') && !document.querySelector('.rows td.waiting'));
}

on('columns stay as wide as they are, however long the values in sight', {}, async (page) => {
  const lengths = [3, 30, 3, 300, 8];
  const lines = Array.from({ length: 10_000 }, (_, n) => JSON.stringify({ n: 1.5 * 10 ** (n / 1000), text: 'm'.repeat(lengths[Math.floor(n / 2_000)]), empty: n < 5_000 ? null : `value ${n}`, last: n % 2 === 0 }));
  await pick(page, 'uneven.ndjson', lines.join('\n'));
  await settled(page);
  for (const view of ['Rows', 'Query']) {
    await opened(page, view);
    if (view === 'Query') {
      await page.getByRole('textbox', { name: 'SQL' }).fill('SELECT * FROM uneven ORDER BY n');
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.getByText('10,000 rows of the result').waitFor();
    }
    await scrolledTo(page, 0);
    const [head, first, last] = await widths(page);
    assert.deepEqual([first, last], [head, head], view);
    for (const share of [0.15, 0.3, 0.5, 0.7, 1]) {
      await scrolledTo(page, share);
      assert.deepEqual(await widths(page), [head, head, head], `${view} at ${share}`);
    }
  }
  // A value that is cut is there whole as a tip.
  await tab(page, 'Rows');
  await scrolledTo(page, 0.7);
  assert.match(await page.getByText(/^m{300}$/).first().getAttribute('title'), /^m{300}\n\nfrom \/text$/);
});

on('of very many columns those in sight are elements, and each is where it belongs', {}, async (page) => {
  const names = Array.from({ length: 200 }, (_, column) => `c${column}`);
  const lines = Array.from({ length: 1_000 }, (_, row) => names.map((_, column) => `${row}/${column}`).join(','));
  await pick(page, 'wide.csv', `${names.join(',')}\n${lines.join('\n')}\n`);
  await settled(page);
  await scrolledTo(page, 0.5);
  const scroller = page.locator('.scroller');
  const total = await scroller.evaluate((element) => element.scrollWidth);
  for (const share of [0, 0.1, 0.33, 0.5, 1, 0.2]) {
    await scroller.evaluate((element, to) => (element.scrollLeft = to * element.scrollWidth), share);
    await page.waitForTimeout(50);
    const seen = await page.locator('.rows').evaluate((table) => {
      const box = document.querySelector('.scroller').getBoundingClientRect();
      const heads = [...table.tHead.rows[0].cells];
      return [...table.tBodies[0].rows].flatMap((row) =>
        [...row.cells].flatMap((cell, index) => {
          const { left, right } = cell.getBoundingClientRect();
          const name = heads[index].querySelector('.name')?.textContent;
          return right > box.left && left < box.right && !cell.matches('.index') ? [[name, cell.textContent, Number(row.getAttribute('aria-rowindex')) - 2, cell.ariaColIndex === heads[index].ariaColIndex]] : [];
        }),
      );
    });
    assert.ok(seen.length > 100);
    for (const [name, text, row, same] of seen) assert.deepEqual([text, same], [`${row}/${name?.slice(1)}`, true]);
    assert.equal(await scroller.evaluate((element) => element.scrollWidth), total, 'the whole is as wide as before');
    assert.ok((await page.locator('.rows th').count()) < 60);
  }
});

/** The page's own words: without the values of a file, its text, its spec and what the component said of it. */
const NOT_OURS = '.rows tbody, .bars svg, .plain td span[title], code, pre, textarea, .warnings';

const SPEC = '[output]\nmax_rejected = "90%"\n[[table]]\nname = "many"\nfilter = "id > 100"\n';

on('numbers are written in one way, wherever they stand', {}, async (page) => {
  const lines = Array.from({ length: 24_000 }, (_, n) => (n % 2 === 1 && n > 1_000 ? `{"id": ${n},}` : JSON.stringify({ id: n, kind: `kind ${n % 3}` })));
  await dropFiles(page, { 'many.ndjson': lines.join('\n'), 'transform.toml': SPEC });
  await settled(page);
  const wrong = {};
  const look = async (where) => {
    const found = await page.evaluate((others) => {
      const shown = document.body.cloneNode(true);
      shown.querySelectorAll(others).forEach((element) => element.remove());
      const said = [shown.textContent, ...[...shown.querySelectorAll('[aria-label], [title]')].flatMap((element) => [element.ariaLabel, element.title])];
      // Whole numbers of four digits and more that nothing separates, and sizes or shares in another manner.
      return said.flatMap((text) => [...(text ?? '').matchAll(/[^\n]{0,20}(?<![\d,.\w@/-])(\d{4,}(?![\d,-]*[a-z])|\d+ %|\d+(\.\d+)? ?[KMG]B\b|\d+ bytes)/g)].map(([match]) => match));
    }, NOT_OURS);
    if (found.length > 0) wrong[where] = found;
  };
  for (const view of TABS) {
    await opened(page, view);
    if (view === 'Compare') {
      await page.getByLabel('Spec text of B').fill(`${SPEC}derive = [{ name = "twice", sql = "id * 2" }]\n`.replace('> 100', '> 200'));
      await page.getByRole('button', { name: 'Compare', exact: true }).click();
      await page.locator('.found .plain').first().waitFor();
    }
    if (view === 'Files') await page.locator('.bars svg').first().waitFor();
    await look(view);
  }
  await shot(page, 'numbers-compare');
  assert.deepEqual(wrong, {});
  assert.match(await page.locator('.sentence').innerText(), /^24,000 records → 11,500 rejected → \d+ filtered → 12,[\d]{3} rows/);
});
