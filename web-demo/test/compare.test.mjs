// Compare, as a person uses it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { made, root } from '../build/paths.mjs';
import { pick, settled, shot, tab } from './browser.mjs';
import { accessible, cells, dropFiles, LOOKS, pages } from './steps.mjs';

const on = pages();
const shipped = fs.readFileSync(path.join(made, 'lakegate.wasm'));
const sales = path.join(root, 'tests', 'examples', 'sales');
const csv = fs.readFileSync(path.join(sales, 'sales/orders/ingest_date=2025-01-06/sales_orders.csv'));
const salesSpec = fs.readFileSync(path.join(sales, 'transform.toml'), 'utf8');

/** Writes a spec for side B and compares. */
async function against(page, spec) {
  await page.getByLabel('Spec of B').selectOption('other');
  await page.getByLabel('Spec text of B').fill(spec);
  await go(page);
}

async function go(page) {
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.locator('#verdict, .found [role=alert]').waitFor();
}

const verdict = (page) => page.locator('#verdict').innerText();

const spec = (columns, more = '') => `[[table]]\nname = "t"\n${more}\n${columns.map(([name, type, from = name]) => `[[table.column]]\nname = "${name}"\nfrom = "${from}"\ntype = "${type}"\n`).join('\n')}`;

const rows = Array.from({ length: 10_000 }, (_, n) => ({ id: n, total: n / 4, word: n % 7 === 0 ? null : `w${n % 100}` }));
const ndjson = rows.map((row) => JSON.stringify(row)).join('\n');
const plain = [['id', 'bigint'], ['total', 'double'], ['word', 'string']];

on('the same on both sides: nothing differs', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n1,2.5\n2,3.5\n');
  await settled(page);
  await tab(page, 'Compare');
  await page.getByLabel('Spec of B').selectOption('entry');
  await go(page);
  assert.equal(await verdict(page), 'Nothing differs: the same bytes.');
  await shot(page, 'compare-same');
  // The proposal itself, given as a spec, makes the same values under another name for the spec.
  await page.getByLabel('Spec of B').selectOption('other');
  await go(page);
  assert.match(await verdict(page), /^Nothing changes: the same rows and values\. Only the bytes differ/);
});

on('two specs: columns and values, row by row', {}, async (page) => {
  await dropFiles(page, { 't.ndjson': ndjson, 'transform.toml': spec(plain) });
  await settled(page);
  await tab(page, 'Compare');
  await against(page, spec([['total', 'decimal(9,2)'], ['id', 'bigint'], ['tag', 'string', 'word']], '[[table.derive]]\nname = "twice"\nsql = "id * 2"\n'));
  assert.equal(await verdict(page), 't: 4 columns change.');
  await page.getByText('Rows are compared by position: both sides have as many in every partition.').waitFor();
  const differ = await cells(page, 'Columns of t that differ');
  assert.deepEqual(differ, [
    ['total', 'double → decimal(9,2)', '0', '5,000'],
    ['word', '- string', '1,429 → 0', ''],
    ['tag', '+ string', '0 → 1,429', ''],
    ['twice', '+ bigint', '0', ''],
  ]);
  // As `lakegate diff` does it, values of two types are compared as text.
  assert.deepEqual((await cells(page, 'First values of t that differ'))[0], ['total', '1', '0.0', '0.00']);
  await page.getByText('1 column is the same').waitFor();
  await page.getByText('they stand in another order').waitFor();
  await page.setViewportSize({ width: 1280, height: 1500 });
  await shot(page, 'compare-position');
});

on('values that differ are counted, with their rows', {}, async (page) => {
  await dropFiles(page, { 't.ndjson': ndjson, 'transform.toml': spec(plain, '[[table.derive]]\nname = "kind"\nsql = "CASE WHEN id < 0 THEN \'x\' ELSE word END"\n') });
  await settled(page);
  await tab(page, 'Compare');
  await against(page, spec(plain, '[[table.derive]]\nname = "kind"\nsql = "CASE WHEN id >= 9998 THEN \'new\' ELSE word END"\n'));
  assert.equal(await verdict(page), 't: 1 column changes.');
  assert.deepEqual((await cells(page, 'Columns of t that differ')).map((row) => [row[0], row[3]]), [['kind', '2']]);
  assert.deepEqual(await cells(page, 'First values of t that differ'), [['kind', '9,999', 'w98', 'new'], ['kind', '10,000', 'w99', 'new']]);
});

on('other numbers of rows: by content, whatever the order', {}, async (page) => {
  await dropFiles(page, { 't.ndjson': ndjson, 'transform.toml': spec(plain) });
  await settled(page);
  await tab(page, 'Compare');
  await against(page, spec(plain, 'filter = "id < 9990 AND id <> 5"\npartition_by = ["id % 2 AS half"]\n'));
  await page.getByText('They are compared by content').waitFor();
  assert.equal(await verdict(page), 't: 1 column changes, 11 rows only in A.');
  await page.getByText('11 rows only in A, the first of them').waitFor();
  await page.getByText('No row is only in B.').waitFor();
  assert.deepEqual((await cells(page, 'Columns of t that differ')).map(([name]) => name), ['half'], 'missing rows change no value');
  await page.getByText('3 columns are the same').waitFor();
  assert.deepEqual(await cells(page, 'Rows of t only in A'), [['6', '5', '1.25', 'w5'], ['9,991', '9990', '2497.5', 'w90'], ['9,992', '9991', '2497.75', 'w91']]);
  const counts = Object.fromEntries((await cells(page, 'Counts')).map(([what, a, b]) => [what, [a, b]]));
  assert.deepEqual([counts.records, counts.rows, counts['rows filtered'], counts['part files']], [['10,000', '10,000'], ['10,000', '9,989'], ['0', '11'], ['1', '2']]);
  await page.setViewportSize({ width: 1280, height: 1500 });
  await shot(page, 'compare-content');
});

on('rejected records by reason, and a spec that is dropped on a side', {}, async (page) => {
  await dropFiles(page, { 'sales_orders.csv': csv, 'transform.toml': salesSpec });
  await settled(page);
  await tab(page, 'Compare');
  await dropFiles(page, { 'other.toml': salesSpec.replace('type = "date"', 'type = "string"') }, 'fieldset:nth-of-type(2)');
  await page.waitForFunction(() => document.querySelector('[aria-label="Spec text of B"]').value.includes('type = "string"'));
  assert.match(await page.locator('.sentence').first().innerText(), / 2 rejected/, 'the file’s own spec stays');
  await go(page);
  const reasons = await cells(page, 'Rejected records by reason');
  assert.ok(reasons.length > 0 && reasons.some((row) => row[3] === 'differs'), JSON.stringify(reasons));
  await page.setViewportSize({ width: 1280, height: 1500 });
  await shot(page, 'compare-rejects');
});

on('a side that cannot be made says why', {}, async (page) => {
  await pick(page, 'a.csv', 'id\n1\n');
  await settled(page);
  await tab(page, 'Compare');
  await against(page, '[[table]]\nname = "t"\n\n[[table.column]]\nname = "id"\ntype = "dubble"\n');
  const said = await page.locator('.found').innerText();
  assert.match(said, /B: error in the spec: unknown type `dubble`/);
  assert.match(said, /transform\.toml:6/);
});

on('where or when the input came from makes it not comparable, and that is said', {}, async (page) => {
  await dropFiles(page, { 't.ndjson': '{"id": 1}\n', 'transform.toml': spec([['id', 'bigint']], '[[table.derive]]\nname = "source"\nsql = "source_uri()"\n') });
  await settled(page);
  await page.locator('#summary').getByText('Not comparable: the spec puts where or when').waitFor();
  await tab(page, 'Take away');
  await page.locator('#panel').getByText('Not comparable').waitFor();
  await tab(page, 'Compare');
  await page.getByLabel('Spec of B').selectOption('proposed');
  await go(page);
  await page.getByText('A is not comparable: its spec puts where or when the input came from into the output.').waitFor();
  assert.ok(!(await page.getByText('B is not comparable').isVisible()));
});

on('two components of the same bytes make the same, and a comparison is cancelled', {}, async (page) => {
  await pick(page, 'big.ndjson', `${JSON.stringify({ text: 'x'.repeat(200), n: 1 })}\n`.repeat(200_000));
  await page.locator('.sentence').waitFor({ timeout: 60_000 });
  await tab(page, 'Compare');
  await page.getByLabel('Spec of B').selectOption('other');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByText(/^B: pass [12]: [\d.]+ MiB/).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.found').getByText('cancelled').waitFor();
  await dropFiles(page, { 'lakegate.wasm': shipped });
  await page.getByRole('button', { name: 'Run it' }).click();
  // A quick run is over before it is looked for; the choice below is there only after it.
  await page.locator('.dot.running').waitFor({ state: 'attached', timeout: 5_000 }).catch(() => {});
  await settled(page);
  await page.getByLabel('Transform of B').selectOption({ label: 'lakegate.wasm' });
  await page.getByLabel('Transform of A').selectOption('');
  await page.getByLabel('Spec of B').selectOption('entry');
  await go(page);
  assert.equal(await verdict(page), 'Nothing differs: the same bytes.');
});

for (const [name, settings] of LOOKS) {
  on(`axe finds nothing in comparisons: ${name}`, settings, async (page) => {
    await dropFiles(page, { 't.ndjson': ndjson, 'transform.toml': spec(plain) });
    await settled(page);
    await tab(page, 'Compare');
    await accessible(page, `${name} form`);
    await shot(page, `${name}-compare`);
    await against(page, spec(plain, 'filter = "id < 9990"\n'));
    await accessible(page, `${name} found`);
    await page.setViewportSize({ width: page.viewportSize().width, height: 1700 });
    await shot(page, `${name}-compare-found`);
  });
}
