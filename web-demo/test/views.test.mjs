// Views that tell more than the rows: where a row came from, how values are spread, what a table would refuse.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { pick, settled, shot, tab } from './browser.mjs';
import { dropFiles, pages } from './steps.mjs';

const on = pages();

/** Every third record is rejected, every other has two items. */
function orders(records) {
  const line = (n) => JSON.stringify({ id: n % 3 === 0 ? 'none' : n, day: n % 2 ? 'odd' : 'even', items: n % 2 ? [{ sku: 'a' }, { sku: 'b' }] : [{ sku: 'a' }] });
  return Array.from({ length: records }, (_, index) => `${line(index + 1)}\n`).join('');
}

const SPEC = `[output]
max_rejected = "50%"
[[table]]
name = "orders"
rows = "items"
partition_by = ["day"]
[[table.column]]
name = "id"
type = "bigint"
[[table.column]]
name = "day"
type = "string"
[[table.column]]
name = "sku"
from = "items.sku"
type = "string"
`;

on('each row names the record that it came from', {}, async (page) => {
  await dropFiles(page, { 'orders.ndjson': orders(300), 'transform.toml': SPEC });
  await settled(page);
  await page.getByRole('columnheader', { name: 'record' }).waitFor();
  const seen = () =>
    page.locator('.rows tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)).map(([, record, id]) => [record, id]));
  await page.locator('.rows td.waiting').first().waitFor({ state: 'detached' });
  const first = await seen();
  // The partition of the even ones comes first; every accepted record carries its number as its id.
  assert.deepEqual(first.slice(0, 4), [['2', '2'], ['4', '4'], ['8', '8'], ['10', '10']]);
  await page.locator('.scroller').evaluate((element) => (element.scrollTop = element.scrollHeight));
  await page.locator('.rows tbody tr').last().locator('td').nth(2).filter({ hasText: /^299$/ }).waitFor();
  const last = await seen();
  assert.deepEqual(last.slice(-3), [['295', '295'], ['299', '299'], ['299', '299']]);
  assert.ok(last.every(([record, id]) => record === id));
  await shot(page, 'rows-record');
});

on('a small picture of each column, read from the Parquet', {}, async (page) => {
  const lines = Array.from({ length: 1_000 }, (_, n) => JSON.stringify({ n, half: n / 2, kind: n % 4 === 0 ? 'rare' : 'common', text: `text ${n * 7919}`, word: `word ${n % 30}`, gone: null, day: '2025-01-01' }));
  await pick(page, 'numbers.ndjson', `${lines.join('\n')}\n`);
  await settled(page);
  await tab(page, 'Files');
  const picture = (name) => page.getByRole('img', { name });
  await picture(/^n: from 0 to 999; most rows: \d+ to \d+: 42 rows$/).waitFor();
  await picture(/^half: from 0\.0 to 499\.5; most rows: /).waitFor();
  await picture(/^kind: 2 different values; most rows: common: 750 rows$/).waitFor();
  await picture(/^text: 1,000 different texts, by their length; most rows: 12 bytes: 873 rows$/).waitFor();
  assert.equal(await picture(/^n:/).locator('rect:not(.hit)').count(), 24);
  await page.getByText('8 commonest of 30').waitFor();
  await shot(page, 'files-pictures');
});

on('a spec is begun from an example or a piece that fits the file', {}, async (page) => {
  await page.getByRole('button', { name: /^Orders/ }).click();
  await settled(page);
  await tab(page, 'Spec');
  const begin = page.getByRole('combobox', { name: 'Begin from an example' });
  const editor = page.getByRole('textbox', { name: 'Spec' });
  await begin.selectOption({ label: 'Partition by order_date' });
  await page.getByText('The preview follows this spec.').waitFor();
  assert.match(await editor.inputValue(), /^partition_by = \["order_date"\]$/m);
  await begin.selectOption({ label: 'Check that total_amount is not negative' });
  await tab(page, 'Files');
  await page.getByText(/^order_date=/).first().waitFor();
  await tab(page, 'Spec');
  await begin.selectOption({ label: 'Orders: two tables, checks, nothing unexpected gets in' });
  await page.getByText('The preview follows this spec.').waitFor();
  await tab(page, 'Rows');
  assert.deepEqual(await page.getByRole('combobox', { name: 'Table' }).locator('option').allInnerTexts(), ['orders', 'order_items']);
  await tab(page, 'Spec');
  await shot(page, 'spec-begun');
});

const CONTRACT = '{"version":1,"table":"feed","rows":null,"columns":[{"name":"id","type":"bigint","pointer":"/id"},{"name":"total","type":"bigint","pointer":"/total"},{"name":"old","type":"string","pointer":"/old"}],"nulls":[],"partition_by":[]}\n';

/** A lake's schema.json, as the command writes it. */
function schema(text) {
  const contract = createHash('sha256').update(text).digest('hex');
  return { version: 1, table: 'feed', contract, history: [{ digest: contract, at: '2025-01-01T00:00:00.000Z', why: 'x' }], text };
}

on('what a table would refuse is told before the upload', {}, async (page) => {
  const lines = Array.from({ length: 100 }, (_, n) => JSON.stringify({ id: n, total: n < 37 ? n + 0.5 : n, more: true }));
  await pick(page, 'feed.ndjson', `${lines.join('\n')}\n`);
  await settled(page);
  await tab(page, 'Schema');
  await page.getByText('Is there a table already?').waitFor();
  await page.getByLabel('schema.json of a table').setInputFiles({ name: 'schema.json', mimeType: '', buffer: Buffer.from(JSON.stringify(schema(CONTRACT))) });
  await page.getByText('column total: bigint in the table, double here: 37 records would be quarantined').waitFor();
  await page.getByText('column more: boolean here, not in the table: added at its end, unless the spec says otherwise').waitFor();
  await page.getByText('column old: string in the table, not in this file: null in every row').waitFor();
  // Too many for the whole file: it fails as it would in the lake, and the reasons are there.
  assert.match(await page.getByRole('alert').innerText(), /37 of 100 records were rejected/);
  await shot(page, 'schema-against');
  await page.getByRole('button', { name: 'No longer compare with feed' }).click();
  await page.getByText(/^100 records → 0 rejected/).waitFor();
});

on('a schema.json that is damaged or only names its contract is told apart from data', {}, async (page) => {
  const whole = schema(CONTRACT);
  const said = page.locator('#announce');
  await dropFiles(page, { 'schema.json': JSON.stringify({ ...whole, text: CONTRACT.replace('bigint', 'double') }) });
  await said.getByText('the schema.json of feed is damaged: its text has another digest').waitFor();
  const { text: _, ...named } = whole;
  await dropFiles(page, { 'schema.json': JSON.stringify(named) });
  await said.getByText(`this schema.json of feed only names its contract: load contracts/${whole.contract}.json from beside it`).waitFor();
  assert.equal(await page.locator('.chip').count(), 0, 'neither is previewed as data');
  await dropFiles(page, { [`${whole.contract}.json`]: CONTRACT, 'feed.ndjson': '{"id": 1, "total": 2}\n' });
  await settled(page);
  await tab(page, 'Schema');
  await page.getByText('column old: string in the table, not in this file: null in every row').waitFor();
  await pick(page, 'schema.json', '[{"a": 1}]');
  await page.getByRole('region', { name: 'Columns of schema', exact: true }).waitFor();
});
