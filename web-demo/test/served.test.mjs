// The page as `lakegate serve` serves it: into the lake, and what came of it; and uploads to a bucket.
//
// Against real parts: the command, a lake on disk, and an S3 peer. The one decision to know: one server for all tests
// of this file, so that each of them uses file names of its own.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { command, root, site } from '../build/paths.mjs';
import { pick, settled, shot, start, tab } from './browser.mjs';
import { accessible, dropFiles, LOOKS } from './steps.mjs';

const python = process.env.LAKEGATE_PYTHON;
const scripts = path.join(root, 'tests', 'python');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-served-'));
const lake = path.join(folder, 'lake');
const running = [];
let browser;
let bucket;

/** Starts a program that runs until the end; answers with the JSON that it prints once it is there. */
function begun(program, args) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  running.push(child);
  return new Promise((done, fail) => {
    let text = '';
    child.on('exit', () => fail(new Error(`${program} ended before it said where it is`)));
    child.stdout.on('data', (chunk) => {
      text += chunk;
      try {
        done(JSON.parse(text));
      } catch {
        // Not whole yet.
      }
    });
  });
}

before(async () => {
  if (!python) throw new Error('LAKEGATE_PYTHON is not set\n  hint: LAKEGATE_PYTHON=$(cargo xtask setup)');
  ({ ministack: bucket } = await begun(python, [path.join(scripts, 'aws_peers.py')]));
  const { address } = await begun(command, ['serve', '--lake', lake, '--port', '0', '--page', site, '--upload-to', bucket, '--json']);
  browser = await start({ address, allowed: [bucket] });
}, { timeout: 240_000 });

after(async () => {
  await browser?.stop();
  for (const child of running) {
    child.stdin.end();
    child.kill('SIGTERM');
  }
  fs.rmSync(folder, { recursive: true, force: true });
});

function on(name, settings, body) {
  test(name, { timeout: 120_000 }, async () => {
    const { page, quiet, close } = await browser.open(settings);
    try {
      await body(page);
      quiet();
    } finally {
      await close();
    }
  });
}

/** Previews a file and loads it into the lake. */
async function load(page, name, content) {
  await pick(page, name, content);
  await settled(page);
  await tab(page, 'Take away');
  await page.getByRole('button', { name: 'Load into the lake' }).click();
}

const s3 = (...args) => execFileSync(python, [path.join(scripts, 'web_s3.py'), bucket, ...args], { encoding: 'utf8' }).trim();

on('production makes exactly what was previewed, and the lake shows it', {}, async (page) => {
  await page.getByRole('button', { name: /^Sales/ }).click();
  await settled(page);
  await tab(page, 'Take away');
  await page.getByRole('button', { name: 'Load into the lake' }).click();
  await page.getByText('Production made exactly what you previewed.').waitFor();
  await page.getByText(/41 rows, 2 records in quarantine · generation 1 of sales/).waitFor();
  await shot(page, 'served-as-previewed');
  const receipt = JSON.parse(await page.locator('#receipt').innerText());
  const status = JSON.parse(execFileSync(command, ['status', lake, path.join(lake, '_lakegate', 'raw', 'sales_orders.csv'), '--json'], { encoding: 'utf8' }));
  assert.match(JSON.stringify(status), new RegExp(receipt.outputs[0].digest), 'the commit record has the digests of the preview');
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  await page.getByRole('region', { name: 'Tables' }).getByText('sales', { exact: true }).waitFor();
  await page.getByText(/price double, total_amount double, order_date date \(in the path\)$/).waitFor();
  await page.getByRole('region', { name: 'Commits' }).getByText('as previewed').waitFor();
  await page.getByRole('heading', { name: 'Quarantine: 2 records' }).waitFor();
  await shot(page, 'served-lake');
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  await page.getByRole('button', { name: 'Load into the lake' }).click();
  await page.getByText(/it was there already: 41 rows/).waitFor();
});

on('what was loaded is taken out again with a click, and comes back when it is loaded again', {}, async (page) => {
  await load(page, 'gone.ndjson', '{"id": 1, "total": 5}\n{"id": 2, "total": 6}\n');
  await page.getByText('Production made exactly what you previewed.').waitFor();
  await page.getByRole('button', { name: 'Retract', exact: true }).click();
  await page.getByText('Retracted: its 2 rows are out of the tables (generation 2 of gone).').waitFor();
  await shot(page, 'served-retracted');
  await accessible(page);
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  const commits = page.getByRole('region', { name: 'Commits' }).getByRole('row', { name: /gone\.ndjson/ });
  await commits.first().waitFor();
  assert.equal(await commits.filter({ hasText: 'in the tables' }).count(), 1, 'only the retraction itself stands');
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  await page.getByRole('button', { name: 'Load into the lake' }).click();
  await page.getByText(/2 rows, 0 records in quarantine · generation 3 of gone/).waitFor();
});

on('a promise holds whatever the tables are called', {}, async (page) => {
  const spec = ['9', '10', 'a'].map((name) => `[[table]]\nname = "${name}"\n[[table.column]]\nname = "id"\ntype = "bigint"\n`).join('\n');
  await dropFiles(page, { 'three.json': '[{"id": 1}, {"id": 2}]', 'transform.toml': spec });
  await settled(page);
  await tab(page, 'Take away');
  await page.getByRole('button', { name: 'Load into the lake' }).click();
  await page.getByText('Production made exactly what you previewed.').waitFor();
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  const commit = page.getByRole('region', { name: 'Commits' }).getByRole('row', { name: /three\.json/ });
  await commit.getByText('as previewed', { exact: true }).waitFor();
});

on('a table that is there is kept to, and told of before the upload', {}, async (page) => {
  await load(page, 'stock.ndjson', '{"id": 1, "total": 5}\n{"id": 2, "total": 6}\n');
  await page.getByText('Production made exactly what you previewed.').waitFor();
  await page.getByRole('button', { name: 'Remove stock.ndjson' }).click();
  const rows = Array.from({ length: 40 }, (_, n) => JSON.stringify({ id: n, total: n === 7 ? 2.5 : n, note: 'new' }));
  await pick(page, 'stock.ndjson', `${rows.join('\n')}\n`);
  await settled(page);
  await tab(page, 'Schema');
  await page.getByText('column total: bigint in the table, double here: 1 record would be quarantined').waitFor();
  await page.getByText('column note: string here, not in the table: added at its end').waitFor();
  await shot(page, 'served-against');
  await tab(page, 'Take away');
  const does = page.getByRole('list', { name: 'What loading does' });
  await does.getByText(/^replaces 2 rows of .* \(generation 1 of stock\.ndjson\)$/).waitFor();
  await does.getByText(/^stock: 39 rows in 1 file, \d/).waitFor();
  await does.getByText('stock gets the column note (string)').waitFor();
  await does.getByText('1 record goes into quarantine').waitFor();
  await shot(page, 'served-ahead');
  await page.getByRole('button', { name: 'Load into the lake' }).click();
  await page.getByText('Production made exactly what you previewed.').waitFor();
  await page.getByText(/39 rows, 1 record in quarantine · generation 2/).waitFor();
  // It stays with its file, until it is closed.
  await tab(page, 'Rows');
  await tab(page, 'Take away');
  await page.getByText('Production made exactly what you previewed.').waitFor();
  await page.getByRole('button', { name: 'Close what came of the upload' }).click();
  assert.equal(await page.getByText('Production made exactly what you previewed.').count(), 0);
});

test('a server’s own spec is shown as given, and a copy of it is never loaded', { timeout: 120_000 }, async () => {
  const given = path.join(folder, 'given.toml');
  const text = '[[table]]\nname = "t"\n[[table.column]]\nname = "id"\ntype = "bigint"\n';
  fs.writeFileSync(given, text);
  const { address } = await begun(command, ['serve', '--lake', path.join(folder, 'given-lake'), '--port', '0', '--page', site, '--spec', given, '--json']);
  const own = await start({ address });
  const { page, quiet } = await own.open();
  try {
    await pick(page, 'a.csv', 'id\n1\n');
    await settled(page);
    await tab(page, 'Spec');
    const editor = page.getByRole('textbox', { name: 'Spec' });
    await page.getByText('The server’s spec: every file that is loaded follows it.').waitFor();
    assert.equal(await editor.inputValue(), text);
    assert.ok(!(await editor.isEditable()));
    await shot(page, 'served-spec');
    await page.getByRole('button', { name: 'Try a copy of it' }).click();
    await editor.fill(text.replace('bigint', 'string'));
    await page.getByText('The preview follows this spec.').waitFor();
    await tab(page, 'Take away');
    await page.getByText('The server loads every file under its own spec').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Load into the lake' }).isDisabled());
    assert.ok(await page.getByRole('button', { name: 'All as zip' }).isEnabled());
    await tab(page, 'Spec');
    await page.getByRole('button', { name: 'Back to the server’s spec' }).click();
    await page.getByText('The server’s spec: every file that is loaded follows it.').waitFor();
    await tab(page, 'Take away');
    await page.getByRole('button', { name: 'Load into the lake' }).click();
    await page.getByText('Production made exactly what you previewed.').waitFor();
    quiet();
  } finally {
    await own.stop();
  }
});

on('what production made otherwise is told, cause first', {}, async (page) => {
  await pick(page, 'race.ndjson', '{"a": 1}\n');
  await settled(page);
  const other = path.join(folder, 'race.ndjson');
  fs.writeFileSync(other, '{"a": "text"}\n');
  execFileSync(command, ['run', other, '--lake', lake]);
  await tab(page, 'Take away');
  await page.getByRole('button', { name: 'Load into the lake' }).click();
  await page.getByText('Production made something else than you previewed:').waitFor();
  const text = await page.locator('.landing').innerText();
  assert.match(text, /another contract of race: [0-9a-f]{12} previewed, [0-9a-f]{12} made/);
  assert.match(text, /race\/: 1 rows, other bytes/);
  await shot(page, 'served-otherwise');
  // The page knows the lake's table by now; what is taken away is still of the preview, which knew nothing of it.
  const shown = JSON.parse(await page.locator('#receipt').innerText());
  await page.waitForTimeout(500);
  await page.getByLabel('Under the proposed spec, which comes along').check();
  const receipt = JSON.parse(await page.locator('#receipt').innerText());
  assert.deepEqual(receipt.contracts, shown.contracts);
});

on('a raw file goes to a presigned URL, with its receipt where that was signed', {}, async (page) => {
  const content = '{"a": 1}\n{"a": 2}\n';
  await pick(page, 'feed.ndjson', content);
  await settled(page);
  await tab(page, 'Take away');
  await page.getByText('By hand').click();
  const line = await page.getByLabel('Command that uploads the file').innerText();
  const receipt = /lakegate-receipt=([0-9a-f]{64})$/.exec(line)[1];
  const place = page.getByRole('textbox', { name: 'Presigned URL' });
  const button = page.getByRole('button', { name: 'Upload to this URL' });
  await place.evaluate((input) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text', 'https://example.com/');
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  assert.equal(await page.locator('.chip').count(), 1, 'what is pasted into a field is no file');
  await place.fill(s3('sign', 'raw/feed.ndjson', receipt));
  await button.click();
  await page.getByText('Uploaded, with the receipt’s digest.').waitFor();
  assert.deepEqual(JSON.parse(s3('head', 'raw/feed.ndjson')), { bytes: content.length, metadata: { 'lakegate-receipt': receipt } });
  await place.fill(s3('sign', 'raw/plain.ndjson'));
  await button.click();
  await page.getByText(/^Uploaded, without the receipt’s digest/).waitFor();
  assert.deepEqual(JSON.parse(s3('head', 'raw/plain.ndjson')).metadata, {});
  await place.fill('https://elsewhere.example/x');
  await button.click();
  await page.getByText(/^this page may send to http:\/\/127\.0\.0\.1:\d+ only$/).waitFor();
  await shot(page, 'served-upload');
});

for (const [name, settings] of LOOKS) {
  on(`axe finds nothing in the lake: ${name}`, settings, async (page) => {
    await page.getByRole('button', { name: 'Lake', exact: true }).click();
    await page.getByRole('heading', { name: 'Tables' }).waitFor();
    await accessible(page, `${name} lake`);
    await shot(page, `${name}-lake`);
  });
}
