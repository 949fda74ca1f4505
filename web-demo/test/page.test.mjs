// The page as a person uses it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { made, site } from '../build/paths.mjs';
import { pick, settled, shot, tab } from './browser.mjs';
import { policy } from './server.mjs';
import { accessible, dropFiles, LOOKS, pages } from './steps.mjs';

const on = pages();

on('an example is a click away', {}, async (page) => {
  await page.getByRole('heading', { name: 'See the Parquet before anything is uploaded' }).waitFor();
  await page.locator('#component:not(:empty)').waitFor();
  await shot(page, 'empty');
  const started = Date.now();
  await page.getByRole('button', { name: /^Orders/ }).click();
  await page.getByText('Mei Ivanova').first().waitFor();
  console.log(`rows after ${Date.now() - started} ms`);
  assert.match(await page.locator('.sentence').innerText(), /^24 records → 0 rejected → 0 filtered → \d+ rows/);
  await page.getByText('/customer/customer_id').waitFor();
  await shot(page, 'rows');
  for (const [name, text] of [
    ['Schema', 'INT64'],
    ['Files', 'Row groups'],
    ['Rejects', 'No record was rejected.'],
    ['Spec', 'Proposed from the file'],
    ['Take away', 'make these very bytes'],
  ]) {
    await tab(page, name);
    await page.locator('#panel').getByText(text).first().waitFor();
    await shot(page, name.toLowerCase().replace(' ', '-'));
  }
});

on('rejected records are shown with reason, line and text', {}, async (page) => {
  await page.getByRole('button', { name: /^Sales/ }).click();
  await page.locator('.sentence').waitFor();
  assert.match(await page.locator('.sentence').innerText(), / 2 rejected/);
  await tab(page, 'Rejects');
  await page.getByText('the value is not a date such as 2025-01-31').first().waitFor();
  await page.getByText('record 9 · line 10').waitFor();
  await shot(page, 'rejects-sales');
  await tab(page, 'Files');
  await page.getByText('order_date=2025-01-05/').first().waitFor();
  await shot(page, 'files-sales');
  await tab(page, 'Rows');
  await page.getByRole('columnheader', { name: /^order_date/ }).waitFor();
  await page.getByText('2025-01-03').first().waitFor();
});

on('a dropped file, nulls, and a table as long as it likes', {}, async (page) => {
  const lines = Array.from({ length: 100_000 }, (_, n) => JSON.stringify({ n, name: n % 3 === 0 ? null : `name ${n}`, empty: '' }));
  await dropFiles(page, { 'long.ndjson.gz': gzipSync(lines.join('\n')) });
  await page.getByText('name 1', { exact: true }).waitFor();
  assert.equal(await page.locator('td.null').first().innerText(), 'null');
  assert.equal(await page.locator('td.blank').first().innerText(), 'empty');
  await page.locator('.scroller').evaluate((element) => (element.scrollTop = element.scrollHeight));
  await page.getByText('name 99998', { exact: true }).waitFor();
  assert.ok((await page.locator('.rows tbody tr').count()) < 80, 'only rows in sight are elements');
  await shot(page, 'rows-long');
});

on('a spec is edited in place, and its mistakes stand at their line', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n1,2.5\n2,3.5\n');
  await settled(page);
  await tab(page, 'Spec');
  const editor = page.getByRole('textbox', { name: 'Spec' });
  const proposed = await editor.inputValue();
  assert.match(proposed, /name = "total"/);
  await editor.fill(proposed.replace('type = "double"', 'type = "dubble"'));
  await page.getByText(/^line \d+: unknown type `dubble`/).waitFor();
  assert.equal(await page.locator('.lines .faulty').count(), 1);
  await shot(page, 'spec-wrong');
  await editor.fill(proposed.replace('type = "double"', 'type = "decimal(9,2)"'));
  await page.getByText('The preview follows this spec.').waitFor();
  await tab(page, 'Schema');
  await page.getByText('decimal(9,2)').first().waitFor();
  await tab(page, 'Rows');
  await page.getByText('2.50').waitFor();
});

on('errors are in the command line’s words', {}, async (page) => {
  await pick(page, 'broken.json', '[{"a": 1},\n {"a": 2},]');
  await settled(page);
  const said = await page.getByRole('alert').innerText();
  assert.match(said, /error in the input: a comma before a closing bracket/);
  assert.match(said, /broken\.json:2:\d+ \(byte \d+\)/);
  assert.match(said, /hint: remove the extra comma/);
  await shot(page, 'error');
});

on('a file with too many rejected records fails, and shows them', {}, async (page) => {
  await pick(page, 'feed.ndjson', '{"id": 1, "price": 2.5}\n{"id": 2, "price": 2,5}\n{"id": 3, "price": 3,5}\n');
  await settled(page);
  assert.match(await page.getByRole('alert').innerText(), /2 of 3 records were rejected/);
  await tab(page, 'Rejects');
  await page.getByText('record 2 · line 2').waitFor();
  assert.equal(await page.locator('.rejects mark').first().innerText(), '5');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download as NDJSON' }).click()]);
  assert.match(fs.readFileSync(await download.path(), 'utf8'), /^\{"record":2,.*\n\{"record":3,.*\n$/);
  await shot(page, 'rejects-too-many');
});

on('a run is cancelled and run again', {}, async (page) => {
  const line = `${JSON.stringify({ text: 'x'.repeat(200), n: 1 })}\n`;
  await pick(page, 'big.ndjson', line.repeat(200_000));
  await page.getByText(/^pass 1: [\d.]+ MiB/).waitFor();
  await shot(page, 'running');
  await page.getByRole('button', { name: 'Cancel' }).first().click();
  await page.getByRole('button', { name: 'Run again' }).waitFor();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.locator('.sentence').waitFor({ timeout: 60_000 });
  assert.match(await page.locator('.sentence').innerText(), /^200,000 records/);
});

on('pasted text, several files, keyboard only', {}, async (page) => {
  await page.getByRole('button', { name: 'Paste text' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'JSON or CSV to preview' }).fill('{"a": 1}\n{"a": null}\n');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await settled(page);
  await pick(page, 'b.csv', 'x\n1\n');
  await settled(page);
  assert.equal(await page.locator('.chip').count(), 2);
  await page.getByRole('tab', { name: /^Rows/ }).focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await page.getByRole('tab', { selected: true }).innerText(), /^Schema/);
  await page.getByRole('button', { name: 'Remove b.csv' }).click();
  await page.getByRole('button', { name: 'Remove pasted.txt' }).click();
  await page.getByRole('heading', { name: 'See the Parquet' }).waitFor();
});

on('a trap discards the instance and says so', {}, async (page) => {
  await page.locator('#component:not(:empty)').waitFor();
  await page.route('**/assets/worker-*.js', async (route) => {
    const script = await (await route.fetch()).text();
    const trap = 'throw new WebAssembly.RuntimeError("unreachable")';
    const step = /([\w$]+)\.step\(\)/;
    assert.match(script, step);
    await route.fulfill({
      contentType: 'text/javascript',
      body: script.replace(step, (_, job) => `(self.trapped?${job}.step():(()=>{self.trapped=true;${trap}})())`),
    });
  });
  await page.reload();
  await pick(page, 'a.json', '{"a": 1}');
  await page.getByText('the transform crashed: unreachable').waitFor();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByText('1 row of a, 1 column', { exact: true }).waitFor();
});

on('a table is named after its file, as the command line does it', {}, async (page) => {
  for (const [file, table] of [
    ['orders.json', 'orders'],
    ['Orders 2025.ndjson.gz', 'orders_2025'],
    ['_hidden.csv', 'hidden'],
    ['v1.2.csv', 'v1_2'],
    ['___', 'input'],
  ]) {
    await pick(page, file, '{"a": 1}\n');
    await page.getByText(`1 row of ${table}, 1 column`, { exact: true }).waitFor();
  }
});

on('the Parquet, the spec and the receipt are taken away', {}, async (page) => {
  await page.getByRole('button', { name: /^Sales/ }).click();
  await settled(page);
  await tab(page, 'Take away');
  const receipt = JSON.parse(await page.locator('#receipt').innerText());
  assert.equal(receipt.outputs.length, 4);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'All as zip' }).click()]);
  const zip = fs.readFileSync(await download.path());
  assert.equal(zip.subarray(0, 4).toString('latin1'), 'PK\u0003\u0004');
  for (const name of ['receipt.json', 'transform.toml', 'sales/order_date=2025-01-05/']) assert.ok(zip.includes(name), name);
  const [part] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^Download sales/ }).first().click()]);
  const { createHash } = await import('node:crypto');
  const digest = createHash('sha256').update(fs.readFileSync(await part.path())).digest('hex');
  assert.equal(digest, receipt.outputs[0].digest);
});

for (const [name, options] of LOOKS) {
  on(`axe finds nothing: ${name}`, options, async (page) => {
    await page.locator('#component:not(:empty)').waitFor({ state: 'attached' });
    await accessible(page, `${name} empty`);
    await shot(page, `${name}-empty`);
    await page.getByRole('button', { name: /^Sales/ }).click();
    await page.locator('.sentence').waitFor();
    for (const view of ['Rows', 'Schema', 'Files', 'Rejects', 'Spec', 'Take away']) {
      await tab(page, view);
      await page.getByRole('tabpanel', { name: new RegExp(`^${view}`) }).waitFor();
      const { x, width } = await page.getByRole('tab', { selected: true }).boundingBox();
      assert.ok(x >= 0 && x + width <= page.viewportSize().width, `${name} ${view}: the chosen tab is in sight`);
      await accessible(page, `${name} ${view}`);
      await shot(page, `${name}-${view.toLowerCase().replace(' ', '-')}`);
    }
  });

  on(`axe finds nothing with a file that fails: ${name}`, options, async (page) => {
    await pick(page, 'broken.json', '[{"a": 1},\n {"a": 2},]');
    await settled(page);
    for (const view of ['Rows', 'Schema', 'Files', 'Rejects', 'Spec', 'Query', 'Compare', 'Take away']) {
      await tab(page, view);
      await accessible(page, `${name} failed ${view}`);
    }
    await page.getByRole('button', { name: 'Paste text' }).click();
    await accessible(page, `${name} pasting`);
    await shot(page, `${name}-failed`);
  });
}

test('the policy allows no eval and no foreign address', () => {
  const rules = policy();
  assert.match(rules, /default-src 'none'/);
  assert.match(rules, /script-src 'self' 'wasm-unsafe-eval';/);
  assert.match(rules, /connect-src 'self';/);
  assert.doesNotMatch(rules, /'unsafe-eval'|'unsafe-inline'|https?:|\*/);
});

on('the page ships production’s bytes, and its first load stays small', {}, async (page, { address }) => {
  await page.locator('#component:not(:empty)').waitFor();
  const loaded = new Set([page.url()]);
  page.on('request', (request) => loaded.add(request.url()));
  await page.reload();
  await page.locator('#component:not(:empty)').waitFor();
  await page.waitForLoadState('networkidle');
  const files = [...loaded].map((url) => path.join(site, new URL(url).pathname.replace(/\/$/, '/index.html')));
  assert.ok([...loaded].every((url) => url.startsWith(address)), [...loaded].join());
  const wasm = files.find((file) => /lakegate-[^/]*\.wasm$/.test(file));
  assert.ok(fs.readFileSync(wasm).equals(fs.readFileSync(path.join(made, 'lakegate.wasm'))), 'the component is unchanged');
  for (const needed of [/index\.html$/, /\.css$/, /index-.*\.js$/, /worker-[^/]*\.js$/, /inspect_bg-.*\.wasm$/]) assert.ok(files.some((file) => needed.test(file)), String(needed));
  const packed = (file) => gzipSync(fs.readFileSync(file), { level: 9 }).length;
  const first = files.map(packed).reduce((a, b) => a + b, 0);
  console.log(`first load ${first} bytes in ${files.length} files, component ${packed(wasm)} bytes, as gzip`);
  assert.ok(first <= 2.5 * 2 ** 20 && packed(wasm) <= 1.5 * 2 ** 20);
});
