// A warning is a click, and what a filter drops is seen.

import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { pick, settled, shot, tab } from './browser.mjs';
import { accessible, dropFiles, pages } from './steps.mjs';

const on = pages();
const spec = (page) => page.getByRole('textbox', { name: 'Spec' });
const sentence = (page) => page.locator('.sentence').innerText();

for (const [what, name, content, fix, before, after] of [
  ['rows', 'deep.json', '[{"id":1,"x":{"items":[{"n":1},{"n":2}]}},{"id":2,"x":{"items":[{"n":3}]}}]', 'rows = "x.items"', '2 rows', '3 rows'],
  ['one of several rows', 'several.json', '[{"id":1,"a":[{"n":1}],"b":[{"m":1},{"m":2}]}]', 'rows = "b"', '1 row', '2 rows'],
  ['delimiter', 'one.csv', 'a:b\n1:2\n3:4\n5:6\n', 'delimiter = ":"', '3 records', '3 records'],
  ['header', 'numbers.csv', '1,2\n3,4\n5,6\n', 'header = false', '2 records', '3 records'],
  ['a convention', 'dump.ndjson', '{"_id":{"$oid":"5a"},"n":{"$numberLong":"3"}}\n{"_id":{"$oid":"5b"},"n":{"$numberLong":"4"}}\n', 'conventions = ["mongodb"]', '2 records', '2 rows'],
  ['members', 'users.json', '{"a":{"n":1},"b":{"n":2},"c":{"n":3}}', 'records = "*"', '1 record', '3 records'],
  ['named rows', 'split.json', '{"columns":["id","n"],"data":[[1,2],[3,4]]}', 'records = "data", columns_at = "columns"', '1 record', '2 records'],
  ['types', 'days.csv', 'id,day\n1,2025-01-02\n2,2025-01-03\n', 'type = "date" for day', '2 records', '2 records'],
]) {
  on(`a warning of ${what} is mended with a click, and the click undone`, {}, async (page) => {
    await pick(page, name, content);
    await settled(page);
    assert.match(await sentence(page), new RegExp(before));
    const button = page.getByRole('button', { name: fix });
    await button.click();
    await page.locator('.fixed-by').waitFor();
    await settled(page);
    assert.match(await sentence(page), new RegExp(after));
    assert.equal(await button.count(), 0, 'the warning is gone');
    await tab(page, 'Spec');
    for (const line of fix.replace(/ for .*/, '').split(', ')) assert.ok((await spec(page).inputValue()).includes(line));
    await shot(page, `fix-${what.replaceAll(' ', '-')}`);
    await accessible(page);
    await page.locator('.fixed-by').getByRole('button', { name: 'Undo' }).click();
    await settled(page);
    assert.match(await sentence(page), new RegExp(before));
    assert.equal(await button.count(), 1);
  });
}

on('a fix of a spec that somebody wrote keeps their comments', {}, async (page) => {
  const mine = '# mine\n[input]\nformat = "csv"   # as they say\n';
  await dropFiles(page, { 'one.csv': 'a:b\n1:2\n3:4\n5:6\n', 'transform.toml': mine });
  await settled(page);
  await page.getByRole('button', { name: 'delimiter = ":"' }).click();
  await page.locator('.fixed-by').waitFor();
  await settled(page);
  await tab(page, 'Spec');
  assert.equal(await spec(page).inputValue(), `${mine}delimiter = ":"\n`);
});

on('a document that is a wrapper is read by its path', {}, async (page) => {
  await dropFiles(page, { 'wrapped.json': '{"Records":[{"a":1},{"a":2}]}', 'transform.toml': '[[table]]\nname = "t"\n' });
  await settled(page);
  await page.getByRole('button', { name: 'records = "Records"' }).click();
  await page.locator('.fixed-by').waitFor();
  await settled(page);
  assert.match(await sentence(page), /^2 records/);
});

on('a type that the file has left is mended in the spec where no table holds it', {}, async (page) => {
  const text = '[[table]]\nname = "t"\n\n[[table.column]]\nname = "n" # counted\ntype = "bigint"\n';
  await dropFiles(page, { 'n.ndjson': '{"n":1}\n{"n":{"a":2}}\n{"n":{"a":3}}\n', 'transform.toml': text });
  await settled(page);
  await page.getByText('At line', { exact: false }).or(page.locator('.problem')).first().waitFor();
  await page.getByRole('button', { name: 'type = "json" for n' }).click();
  await page.locator('.fixed-by').waitFor();
  await settled(page);
  assert.match(await sentence(page), /^3 records → 0 rejected/);
  await tab(page, 'Spec');
  assert.equal(await spec(page).inputValue(), text.replace('"bigint"', '"json"'));
});

on('what a filter drops is listed with its record and the rule', {}, async (page) => {
  const rows = Array.from({ length: 10 }, (_, n) => `{"n":${n + 1},"s":${n === 8 ? 'null' : '"x"'}}\n`);
  rows.splice(4, 0, '{"n":"five"}\n');
  const text = '[[table]]\nname = "t"\nfilter = "n > 3 -- of old"\ndrop_nulls = ["s"]\n\n[[table.column]]\nname = "n"\ntype = "bigint"\n\n[[table.column]]\nname = "s"\ntype = "string"\n\n[[table.check]]\nname = "small"\nsql = "n < 3"\non_fail = "warn"\n';
  await dropFiles(page, { 'n.ndjson': rows.join(''), 'transform.toml': text });
  await settled(page);
  assert.match(await sentence(page), /^11 records → 1 rejected → 4 filtered → 6 rows/);
  await page.getByRole('button', { name: '4 filtered' }).click();
  await page.getByText('4 records have rows that a filter drops.').waitFor();
  const list = page.locator('#filtered li');
  assert.equal(await list.count(), 4);
  assert.match(await list.nth(0).innerText(), /filter: n > 3 -- of old record 1, line 1\s+\{"n":1,"s":"x"\}/);
  assert.match(await list.nth(3).innerText(), /drop_nulls: s record 10, line 10\s+\{"n":9,"s":null\}/);
  await shot(page, 'filtered');
  await accessible(page);
  // All of them, and rows per element.
  await dropFiles(page, { 'all.json': '[{"id":1,"i":[{"a":1},{"a":2}]},{"id":2,"i":[{"a":1}]}]', 'transform.toml': '[[table]]\nname = "t"\nrows = "i"\nfilter = "i_a > 5"\n' });
  await settled(page);
  await page.getByRole('button', { name: '3 filtered' }).click();
  await page.getByText('2 records have rows that a filter drops.').waitFor();
});

on('a file that fails says how it was read', {}, async (page) => {
  const bad = Array.from({ length: 30 }, (_, n) => `${n};x\n`).join('');
  for (const [name, content, said, text] of [
    ['broken.json', '[{"a":1},', 'Read as json.', ''],
    ['bad.csv', `id;n\n${bad}`, 'Read as csv, delimiter ";".', '[[table]]\nname = "t"\n[[table.column]]\nname = "n"\ntype = "bigint"\n'],
    ['cut.json.gz', zlib.gzipSync('{"a":1}\n'.repeat(9)).subarray(0, 20), 'Read as gzip.', ''],
  ]) {
    await dropFiles(page, text === '' ? { [name]: content } : { [name]: content, 'transform.toml': text });
    await settled(page);
    await page.getByText(said, { exact: true }).waitFor();
  }
  await shot(page, 'failed-read-as');
});

on('of a large file, what a filter drops is read when somebody asks', {}, async (page) => {
  const line = `${JSON.stringify({ n: 1, text: 'x'.repeat(2000) })}\n`;
  await dropFiles(page, { 'large.ndjson': line.repeat(9000), 'transform.toml': '[[table]]\nname = "t"\nfilter = "record_number() <> 7"\n' });
  await settled(page);
  await page.getByRole('button', { name: '1 filtered' }).click();
  await page.getByRole('button', { name: /^Read the file once more to list them \(17\.\d MiB\)$/ }).click();
  await page.getByText('1 record has rows that a filter drops.').waitFor();
  assert.match(await page.locator('#filtered li').innerText(), /record_number\(\) <> 7 record 7, line 7/);
  // It is known now, also where the page is drawn anew.
  await tab(page, 'Rows');
  await tab(page, 'Rejects');
  await page.getByText('1 record has rows that a filter drops.').waitFor();
});
