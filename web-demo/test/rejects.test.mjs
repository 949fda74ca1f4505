// Rejected records, mended in place as a person does it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { command, made, root } from '../build/paths.mjs';
import { pick, settled, shot, tab } from './browser.mjs';
import { accessible, cells, downloaded, LOOKS, pages } from './steps.mjs';

const on = pages();
const sales = path.join(root, 'tests', 'examples', 'sales');

/** Shows the rejected records of files that are picked together. */
async function rejectsOf(page, files) {
  await page.locator('#pick').setInputFiles(Object.entries(files).map(([name, content]) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) })));
  await settled(page);
  await tab(page, 'Rejects');
}

const record = (page, number) => page.getByRole('listitem', { name: `Record ${number}`, exact: true });

/** Writes another text into a record and checks it. */
async function mend(page, number, text) {
  const item = record(page, number);
  const edit = item.getByRole('button', { name: new RegExp(`^Edit (again )?record ${number}$`) });
  if (await edit.isVisible()) await edit.click();
  await item.getByRole('textbox').fill(text);
  await item.getByRole('button', { name: 'Check again' }).click();
  await item.getByText(/^(Accepted|Still rejected)/).waitFor();
  return item.getByText(/^(Accepted|Still rejected)/).innerText();
}

on('CSV lines are mended under the file’s header, spec and contract', {}, async (page) => {
  await page.getByRole('button', { name: /^Sales/ }).click();
  await settled(page);
  await tab(page, 'Rejects');
  await page.locator('.rejects mark').nth(1).waitFor();
  assert.deepEqual(await page.locator('.rejects mark').allInnerTexts(), ['many', '01-02-2025']);
  await shot(page, 'rejects-marked');
  assert.match(await mend(page, 5, 'O2000003-0,C000778,Lamp,2.5,25.0,2025-01-04'), /^Still rejected: .*2\.5|^Still rejected: /);
  assert.equal(await record(page, 5).locator('.said mark').innerText(), '2.5');
  await shot(page, 'rejects-still');
  assert.equal(await mend(page, 5, 'O2000003-0,C000778,"Lamp, red",2,25.0,2025-01-04'), 'Accepted: it makes 1 row.');
  assert.deepEqual(await record(page, 5).locator('tbody td').allInnerTexts(), ['O2000003-0', 'C000778', 'Lamp, red', '2', '25.0', '50.0', '2025-01-04']);
  await shot(page, 'rejects-fixed');
  const fixed = await downloaded(page, () => page.getByRole('button', { name: 'Download fixed records (1)' }).click());
  assert.equal(fixed.name, 'sales_orders-fixed.csv');
  assert.equal(fixed.bytes.toString(), 'order_id,customer_id,product,quantity,price,order_date\nO2000003-0,C000778,"Lamp, red",2,25.0,2025-01-04\n');
  const left = await downloaded(page, () => page.getByRole('button', { name: 'Download what remains (1)' }).click());
  assert.deepEqual(left.bytes.toString().trim().split('\n').map((line) => JSON.parse(line).record), [9]);
  await page.getByText('lakegate quarantine resubmit sales …-5 --from FILE').waitFor();
  await mend(page, 9, 'O2000004-0,C000779,Lamp,1,25.0,2025-02-01');
  await page.getByRole('button', { name: 'Download fixed records (2)' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Download what remains/ }).count(), 0);
  await tab(page, 'Rows');
  await tab(page, 'Rejects');
  assert.equal(await page.locator('.rejects .fixed').count(), 2, 'what was mended outlives a look elsewhere');
});

test('what is downloaded is what `quarantine resubmit` takes', { timeout: 120_000 }, () => {
  const lake = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  const fixed = path.join(lake, 'fixed.csv');
  const input = path.join(sales, 'sales', 'orders', 'ingest_date=2025-01-06', 'sales_orders.csv');
  const run = (...arguments_) => {
    const { stdout, stderr } = spawnSync(command, [...arguments_, '--json', '--lake', path.join(lake, 'lake'), '--transform', path.join(made, 'lakegate.wasm')], { encoding: 'utf8' });
    const said = JSON.parse(stdout || JSON.stringify({ error: stderr || 'the command did not run' }));
    assert.equal(said.error, undefined);
    return said;
  };
  try {
    run('run', input, '--spec', path.join(sales, 'transform.toml'));
    fs.writeFileSync(fixed, 'order_id,customer_id,product,quantity,price,order_date\nO2000003-0,C000778,"Lamp, red",2,25.0,2025-01-04\n');
    const { stdout } = spawnSync(command, ['quarantine', 'list', 'sales', '--json', '--lake', path.join(lake, 'lake')], { encoding: 'utf8' });
    const { id } = JSON.parse(stdout).records.find(({ record }) => record === 5);
    assert.ok(id.endsWith('-5'), id);
    const { open, resubmitted } = run('quarantine', 'resubmit', 'sales', id, '--from', fixed);
    assert.deepEqual([open, resubmitted], [1, 1]);
  } finally {
    fs.rmSync(lake, { recursive: true });
  }
});

on('NDJSON of a failed file is mended under the contract it had learned', {}, async (page) => {
  await rejectsOf(page, { 'feed.ndjson': '{"id": 1, "price": 2.5}\n{"id": 2, "price": 2,5}\n{"id": 3, "price": 3.5}\nid: 4, price: 1\n' });
  assert.match(await mend(page, 2, '{"id": 2, "price": "2.5"}'), /^Still rejected: /);
  assert.equal(await record(page, 2).locator('.said mark').innerText(), '"price": "2.5"');
  assert.equal(await mend(page, 2, '{"id": 2,\n "price": 2.5}'), 'Accepted: it makes 1 row.');
  assert.match(await mend(page, 4, '{"id": 4, "price": 1'), /^Still rejected: /);
  assert.match(await mend(page, 4, '{"id": 4, "price": 1}\n{"id": 5, "price": 1}'), /^Still rejected: the text holds 2 records: it must be one/);
  assert.match(await mend(page, 4, ' '), /^Still rejected: the text holds no record/);
  assert.match(await mend(page, 4, 'id: 4'), /^Still rejected: /);
  const fixed = await downloaded(page, () => page.getByRole('button', { name: 'Download fixed records (1)' }).click());
  assert.equal(fixed.name, 'feed-fixed.ndjson');
  assert.equal(fixed.bytes.toString(), '{"id": 2,  "price": 2.5}\n');
});

on('a record of UTF-16 between a title and a footer, of two signs and no quotes, keeps its shape', {}, async (page) => {
  const text = 'Stock of 2025\nid||name||n\n1||"a||2\nzwei||b||3\n3||c||4\n3 rows\n';
  await rejectsOf(page, {
    'stock.txt': Buffer.from(`\ufeff${text}`, 'utf16le'),
    'transform.toml': '[output]\nmax_rejected = "100%"\n[input]\nskip_lines = 1\nfooter_lines = 1\ndelimiter = "||"\nquote = "none"\n[[table]]\nname = "t"\n[[table.column]]\nname = "id"\ntype = "bigint"\n',
  });
  assert.equal(await page.locator('.rejects mark').innerText(), 'zwei');
  assert.equal(await mend(page, 2, '2||"b||3'), 'Accepted: it makes 1 row.');
  const { bytes } = await downloaded(page, () => page.getByRole('button', { name: 'Download fixed records (1)' }).click());
  assert.equal(bytes.toString(), 'Stock of 2025\nid||name||n\n2||"b||3\n');
});

on('a record inside a document, of gzip, semicolons and latin1, keeps its shape', {}, async (page) => {
  const lenient = '[output]\nmax_rejected = "100%"\n';
  await rejectsOf(page, {
    'shop.json': '{"data": {"orders": [{"id": 1}, {"id": "two"}]}}',
    'transform.toml': `${lenient}[input]\nrecords = "data.orders"\n[[table]]\nname = "t"\n[[table.column]]\nname = "id"\ntype = "bigint"\n`,
  });
  assert.equal(await mend(page, 2, '{"id": 2}'), 'Accepted: it makes 1 row.');
  const json = await downloaded(page, () => page.getByRole('button', { name: 'Download fixed records (1)' }).click());
  assert.deepEqual([json.name, JSON.parse(json.bytes)], ['shop-fixed.json', { data: { orders: [{ id: 2 }] } }]);
  await page.getByRole('button', { name: 'Remove shop.json' }).click();

  const header = 'id;"name; in full";größe';
  await rejectsOf(page, {
    'latin.csv.gz': gzipSync(Buffer.from(`${header}\r\n1;"a ""b"" c";2\r\nzwei;"d; e";3\r\n`, 'latin1')),
    'transform.toml': `${lenient}[input]\nencoding = "latin1"\ncompression = "gzip"\n[[table]]\nname = "t"\n[[table.column]]\nname = "id"\ntype = "bigint"\n[[table.column]]\nname = "full"\nfrom = "name; in full"\n`,
  });
  assert.equal(await page.locator('.rejects mark').innerText(), 'zwei');
  assert.match(await mend(page, 2, '2;"d; Ж";3'), /^Still rejected: the file is in windows-1252, which has no Ж/);
  assert.equal(await mend(page, 2, '2;"d; é";3'), 'Accepted: it makes 1 row.');
  const csv = await downloaded(page, () => page.getByRole('button', { name: 'Download fixed records (1)' }).click());
  assert.equal(csv.name, 'latin-fixed.csv.gz');
  assert.equal(gunzipSync(csv.bytes).toString('latin1'), `${header}\n2;"d; é";3\n`);
  await page.getByRole('button', { name: 'Remove latin.csv.gz' }).click();

  await rejectsOf(page, {
    'bare.csv': '1,a,,\nx,"b;;;;;",,\n',
    'transform.toml': `${lenient}[input]\nheader = false\ncolumns = ["id", "name", "p", "q"]\n[[table]]\nname = "t"\n[[table.column]]\nname = "id"\ntype = "bigint"\n`,
  });
  assert.equal(await page.locator('.rejects mark').innerText(), 'x');
  assert.equal(await mend(page, 2, '2,b;;;;;,,'), 'Accepted: it makes 1 row.', 'the delimiter is the file’s, not the record’s');
});

on('what cannot be mended says why', {}, async (page) => {
  const spec = '[output]\nmax_rejected = "100%"\n[[table]]\nname = "t"\n[[table.column]]\nname = "id"\ntype = "bigint"\n';
  await rejectsOf(page, { 'long.ndjson': `{"id": 1}\n{"id": "${'x'.repeat(70_000)}"}\n`, 'transform.toml': spec });
  await record(page, 2).getByText('too long to be kept whole: it cannot be edited here').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Edit record/ }).count(), 0);
  await page.getByRole('button', { name: 'Remove long.ndjson' }).click();
  const text = 'id\n1\nx\n';
  // A frame of one raw block: RFC 8878, 3.1.1.
  await rejectsOf(page, { 'z.csv.zst': [0x28, 0xb5, 0x2f, 0xfd, 0x20, text.length, (text.length << 3) | 1, 0, 0, ...Buffer.from(text)], 'transform.toml': spec });
  await record(page, 2).getByText(/cannot be edited here: the header stands in zstd/).waitFor();
  await page.getByRole('button', { name: 'Remove z.csv.zst' }).click();
  const many = Array.from({ length: 9000 }, (_, n) => JSON.stringify({ id: 'x'.repeat(500), n }));
  await rejectsOf(page, { 'many.ndjson': many.join('\n'), 'transform.toml': spec });
  await page.getByText(/More records were rejected than the page keeps/).waitFor();
  await page.getByText(/^… and 8,800 more records/).waitFor();
});

on('reasons are counted over all records, also those whose text is not kept', {}, async (page) => {
  const spec = '[output]\nmax_rejected = "100%"\n[[table]]\nname = "t"\nrows = "items"\n[[table.column]]\nname = "n"\nfrom = "items.n"\ntype = "bigint"\n';
  // Two places in an array are one reason; 300 texts of 20 KB are more than the page keeps.
  const line = (n) => JSON.stringify({ text: 'x'.repeat(20_000), items: [{ n: n % 2 === 0 ? 'no' : 1 }, { n: 'no' }] });
  const lines = Array.from({ length: 300 }, (_, n) => line(n));
  await rejectsOf(page, { 't.ndjson': `${lines.join('\n')}\n{"items":[{"n":1}]}\n`, 'transform.toml': spec });
  await page.getByText('More records were rejected than the page keeps').waitFor();
  assert.deepEqual((await cells(page, 'Reasons')).map(([records, where]) => [records, where]), [['300', '/items/*/n']]);
});

on('keyboard only: edit, check, close', {}, async (page) => {
  await pick(page, 'feed.ndjson', '{"id": 1}\n{"id": 2,}\n');
  await settled(page);
  await tab(page, 'Rejects');
  await page.getByRole('button', { name: 'Edit record 2' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{"id": 2, "id": 3}');
  await page.keyboard.press('Control+Enter');
  await page.getByText(/^Still rejected/).waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{"id": 2}');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Accepted: it makes 1 row.').waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await page.getByRole('textbox', { name: 'Text of record 2' }).inputValue(), '{"id": 2}');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Accepted: it makes 1 row.').waitFor();
});

for (const [name, options] of LOOKS) {
  on(`axe finds nothing in Rejects: ${name}`, options, async (page) => {
    await page.getByRole('button', { name: /^Sales/ }).click();
    await settled(page);
    await tab(page, 'Rejects');
    await mend(page, 5, 'O2000003-0,C000778,Lamp,2,25.0,2025-01-04');
    await mend(page, 9, 'O2000004-0,C000779,Lamp,1,25.0,soon');
    await accessible(page, `${name} rejects`);
    await record(page, 9).scrollIntoViewIfNeeded();
    await shot(page, `${name}-rejects-mended`);
  });
}
