// What is shown, taken away and sent belongs to one run; nobody loses their place or their work.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { command, component, root } from '../build/paths.mjs';
import { pick, settled, shot, tab } from './browser.mjs';
import { accessible, downloaded, LOOKS, pages } from './steps.mjs';

const on = pages();
const spec = (page) => page.getByRole('textbox', { name: 'Spec' });
const HELD = ['All as zip', 'Spec', 'Receipt'];

/** The files of a zip whose members are stored as they are. */
function unzipped(bytes) {
  const files = {};
  for (let at = bytes.indexOf('PK\u0001\u0002', 0, 'latin1'); at >= 0; at = bytes.indexOf('PK\u0001\u0002', at + 46, 'latin1')) {
    const [length, name, from] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt32LE(at + 42)];
    const begin = from + 30 + bytes.readUInt16LE(from + 26) + bytes.readUInt16LE(from + 28);
    files[bytes.toString('utf8', at + 46, at + 46 + name)] = bytes.subarray(begin, begin + length);
  }
  return files;
}

async function byCommand(input, text) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  try {
    const given = path.join(folder, 'transform.toml');
    fs.writeFileSync(given, text);
    const { stdout } = await promisify(execFile)(command, ['preview', input, '--json', '--transform', component, '--lake', path.join(folder, 'lake'), '--spec', given]);
    return JSON.parse(stdout).receipt;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

on('the zip of an untouched proposal is what its own spec makes', {}, async (page) => {
  const input = path.join(root, 'tests', 'examples', 'orders', 'orders_ETL.json');
  await pick(page, 'orders_ETL.json', fs.readFileSync(input));
  await settled(page);
  await tab(page, 'Take away');
  await page.locator('#receipt').waitFor();
  const { bytes } = await downloaded(page, () => page.getByRole('button', { name: 'All as zip' }).click());
  const files = unzipped(bytes);
  const receipt = JSON.parse(files['receipt.json'].toString());
  assert.deepEqual(receipt, await byCommand(input, files['transform.toml'].toString()));
  assert.deepEqual(Object.keys(files).sort(), ['orders_etl/part-0.parquet', 'receipt.json', 'transform.toml']);
  // Without a spec there is none in the zip either.
  await page.getByLabel('Without a spec, as lakegate run FILE does it').check();
  const bare = unzipped((await downloaded(page, () => page.getByRole('button', { name: 'All as zip' }).click())).bytes);
  assert.deepEqual(Object.keys(bare).sort(), ['orders_etl/part-0.parquet', 'receipt.json']);
  assert.notEqual(JSON.parse(bare['receipt.json'].toString()).spec, receipt.spec);
  await shot(page, 'take-away-bare');
});

on('nothing is taken away while the spec is edited, running or wrong', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n1,2.5\n2,3.5\n');
  await settled(page);
  await tab(page, 'Spec');
  const proposed = await spec(page).inputValue();
  // Within the moment before the run, and while it is wrong.
  await spec(page).fill(proposed.replace('type = "double"', 'type = "dubble"'));
  await tab(page, 'Take away');
  await page.locator('#held').waitFor();
  for (const name of HELD) {
    const button = page.getByRole('button', { name, exact: true });
    assert.ok((await button.count()) === 0 || (await button.isDisabled()), name);
  }
  await page.locator('#held').getByText('The spec has a mistake').waitFor();
  assert.ok(await page.getByRole('button', { name: 'All as zip' }).isDisabled());
  await shot(page, 'take-away-held');
  await tab(page, 'Spec');
  const mended = proposed.replace('type = "double"', 'type = "decimal(9,2)"');
  await spec(page).fill(mended);
  await page.getByText('The preview follows this spec.').waitFor();
  await tab(page, 'Take away');
  assert.equal(await page.locator('#held').count(), 0);
  const files = unzipped((await downloaded(page, () => page.getByRole('button', { name: 'All as zip' }).click())).bytes);
  assert.equal(files['transform.toml'].toString(), mended);
  const shown = JSON.parse(await page.locator('#receipt').innerText());
  assert.deepEqual(JSON.parse(files['receipt.json'].toString()), shown);
});

on('the dot follows the spec that is edited', {}, async (page) => {
  await pick(page, 'a.csv', 'id\n1\n');
  await settled(page);
  await tab(page, 'Spec');
  await spec(page).fill('[[table]]\nname = "t"\nmode = "no"\n');
  await page.locator('.chip.on .dot.running').waitFor({ state: 'attached' });
  await page.locator('.chip.on .dot.failed').waitFor({ state: 'attached' });
  await spec(page).fill('[[table]]\nname = "t"\n');
  await page.locator('.chip.on .dot.done').waitFor({ state: 'attached' });
});

on('a mistake in SQL stands at its line, and moves nothing', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n1,2.5\n');
  await settled(page);
  await tab(page, 'Spec');
  await spec(page).fill('[[table]]\nname = "t"\n');
  await page.getByText('The preview follows this spec.').waitFor();
  const top = await page.locator('.editor').evaluate((element) => element.getBoundingClientRect().top);
  for (const wrong of ['filter = "totl > 1"', 'partition_by = ["year(totl) AS y"]']) {
    await spec(page).fill(`[[table]]\nname = "t"\n${wrong}\n`);
    await page.getByText(/^line 3: /).waitFor();
    assert.equal((await page.locator('.lines .faulty').innerText()).trim(), '3');
    assert.equal(await page.getByRole('alert').count(), 0, 'it is said where it is edited');
    const now = await page.locator('.editor').evaluate((element) => element.getBoundingClientRect().top);
    assert.ok(Math.abs(now - top) < 1, `the editor moved by ${now - top} px`);
  }
});

on('undoing works across what replaces the whole text', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n1,2.5\n');
  await settled(page);
  await tab(page, 'Spec');
  const mine = '[[table]]\nname = "mine"\n';
  await spec(page).fill(mine);
  await page.getByText('The preview follows this spec.').waitFor();
  await page.getByRole('button', { name: 'Back to the proposal' }).click();
  await page.getByText('Proposed from the file').waitFor();
  assert.match(await spec(page).inputValue(), /name = "total"/, 'the proposal is there again');
  await spec(page).press('Control+z');
  await page.waitForFunction((text) => document.querySelector('.editor textarea').value === text, mine);
  await page.getByText('The preview follows this spec.').waitFor();
});

on('a file with a spec of one’s own is not removed without a question', {}, async (page) => {
  await pick(page, 'a.csv', 'id\n1\n');
  await settled(page);
  await tab(page, 'Spec');
  await spec(page).fill('[[table]]\nname = "mine"\n');
  await page.getByText('The preview follows this spec.').waitFor();
  const asked = [];
  page.once('dialog', (dialog) => (asked.push(dialog.message()), dialog.dismiss()));
  await page.getByRole('button', { name: 'Remove a.csv' }).click();
  assert.deepEqual(asked, ['Remove a.csv, and what you edited for it?']);
  assert.equal(await page.locator('.chip').count(), 1);
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', { name: 'Remove a.csv' }).click();
  await page.getByRole('heading', { name: 'See the Parquet before anything is uploaded' }).waitFor();
});

on('nor is one with mended records', {}, async (page) => {
  await pick(page, 'feed.ndjson', '{"id": 1}\n{"id": 2,}\n{"id": 3}\n');
  await settled(page);
  await tab(page, 'Rejects');
  await page.getByRole('button', { name: 'Edit record 2' }).click();
  await page.getByRole('textbox', { name: 'Text of record 2' }).fill('{"id": 2}');
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.getByText('Accepted: it makes 1 row.').waitFor();
  const asked = [];
  page.on('dialog', (dialog) => (asked.push(dialog.type()), dialog.dismiss()));
  await page.getByRole('button', { name: 'Remove feed.ndjson' }).click();
  assert.deepEqual(asked, ['confirm']);
  // The page is not left either; a browser that asks says so with a dialog of its own.
  await page.close({ runBeforeUnload: true });
  await page.waitForTimeout(500);
  assert.deepEqual(asked, ['confirm', 'beforeunload']);
});

on('a file that fails shows what stands there, and a spec can begin', {}, async (page) => {
  await pick(page, 'broken.json', '[{"a": 1},\n {"a": 2},]');
  await settled(page);
  assert.equal(await page.locator('.excerpt mark').innerText(), ']');
  await tab(page, 'Spec');
  await page.getByText('The file could not be read, so nothing is proposed').waitFor();
  await page.getByLabel('Begin from an example').selectOption({ label: 'Sales: declared types, a derived amount, a partition each day' });
  await page.waitForFunction(() => document.querySelector('.editor textarea').value.includes('[[table]]'));
  await shot(page, 'error-spec');
});

on('each number of the headline opens its list; Back goes back', {}, async (page) => {
  await page.getByRole('button', { name: /^Sales/ }).click();
  await settled(page);
  assert.match(await page.locator('.sentence').innerText(), /→ 2 rejected → 0 filtered → [\d,]+ rows → \d+ files, [\d.]+ KiB/);
  const chosen = () => page.locator('[role=tab][aria-selected=true]').innerText();
  await page.getByRole('button', { name: '2 rejected' }).click();
  assert.match(await chosen(), /^Rejects/);
  await page.getByRole('button', { name: /^\d+ files/ }).click();
  assert.match(await chosen(), /^Files/);
  await page.goBack();
  assert.match(await chosen(), /^Rejects/);
  await page.goForward();
  assert.match(await chosen(), /^Files/);
});

on('places are kept when tabs change and when other files end', {}, async (page) => {
  const lines = Array.from({ length: 5_000 }, (_, n) => JSON.stringify({ n, text: `text ${n}` })).join('\n');
  await pick(page, 'long.ndjson', lines);
  await settled(page);
  const scroller = page.locator('.scroller');
  await scroller.evaluate((element) => (element.scrollTop = 60_000));
  await page.getByText('text 2000', { exact: true }).waitFor();
  await tab(page, 'Schema');
  await tab(page, 'Rows');
  await page.getByText('text 2000', { exact: true }).waitFor();
  assert.equal(await scroller.evaluate((element) => element.scrollTop), 60_000);
  // Another file is read behind it, and ends.
  await pick(page, 'other.ndjson', lines.repeat(20));
  await page.getByRole('button', { name: 'long.ndjson', exact: true }).click();
  await page.getByText('text 2000', { exact: true }).waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('.dot')].every((dot) => dot.classList.contains('done')));
  assert.equal(await scroller.evaluate((element) => element.scrollTop), 60_000);
});

on('the keyboard never falls to the page’s root', {}, async (page) => {
  const has = () => page.evaluate(() => document.activeElement.tagName);
  await pick(page, 'a.csv', 'id\n1\n');
  await settled(page);
  await pick(page, 'b.csv', 'id\n2\n');
  await settled(page);
  for (const name of ['a.csv', 'Remove a.csv', 'Remove b.csv']) {
    await page.getByRole('button', { name, exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('.dot.running') === null);
    assert.notEqual(await has(), 'BODY', name);
  }
});

on('a CSV of a header alone shows it', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n');
  await settled(page);
  assert.equal(await page.getByLabel('The header of the file').innerText(), 'id,total\n');
});

on('signs that turn text around are seen', {}, async (page) => {
  await pick(page, 'a\u202ecsv.csv', 'id,text\n1,ab\u202ecd\n');
  await settled(page);
  await page.getByText('ab⟨U+202E⟩cd', { exact: true }).waitFor();
  await page.getByText('a⟨U+202E⟩csv.csv', { exact: true }).waitFor();
});

on('no question sums what repeats, or what names something', {}, async (page) => {
  await page.getByRole('button', { name: /^Orders/ }).click();
  await settled(page);
  await tab(page, 'Spec');
  const offered = await page.getByLabel('Begin from an example').locator('option').allInnerTexts();
  assert.ok(!offered.some((one) => /\b\w*(id|zip)\b is not negative/.test(one)), offered.join('\n'));
  await tab(page, 'Query');
  await page.locator('.questions button').first().waitFor({ timeout: 60_000 });
  const asked = await page.locator('.questions button').evaluateAll((buttons) => buttons.map((button) => button.title || button.textContent));
  assert.ok(!asked.some((one) => /total_amount by/.test(one)), asked.join('\n'));
});

for (const [look, options] of LOOKS) {
  on(`axe finds nothing where things are taken away: ${look}`, options, async (page) => {
    await pick(page, 'a.csv', 'id,total\n1,2.5\n');
    await settled(page);
    await tab(page, 'Take away');
    await page.locator('#receipt').waitFor();
    await accessible(page, 'Take away');
    await shot(page, `take-away-${look}`);
  });
}
