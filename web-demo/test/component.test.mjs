// The page runs production's bytes, and makes what the command line makes.
//
// The one decision to know: the command line is told to run the component that the page was built with, so that both
// answers are of one component even when the command embeds a later one.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual, promisify } from 'node:util';
import { transpile } from '@bytecodealliance/jco-transpile';
import { command, made, root } from '../build/paths.mjs';
import { pick, settled, start, tab } from './browser.mjs';

const component = path.join(made, 'lakegate.wasm');

test('the core modules are exact slices of the component, and cover all of its code', async () => {
  const bytes = fs.readFileSync(component);
  const { digest, modules } = JSON.parse(fs.readFileSync(path.join(made, 'component.json'), 'utf8'));
  assert.equal(digest, createHash('sha256').update(bytes).digest('hex'));
  const { files } = await transpile(component, { name: 'transform', instantiation: 'async', nodejsCompat: false, base64Cutoff: 0 });
  const core = Object.entries(files).filter(([name]) => name.endsWith('.wasm'));
  assert.deepEqual(core.map(([name]) => name).sort(), Object.keys(modules).sort());
  for (const [name, content] of core) {
    const { offset, length } = modules[name];
    assert.ok(bytes.subarray(offset, offset + length).equals(Buffer.from(content)), name);
  }
  const covered = core.reduce((sum, [, content]) => sum + content.length, 0);
  assert.ok(covered > 0.99 * bytes.length, `${covered} of ${bytes.length} bytes`);
});

/** Cases that have another answer by rights, each with its reason. */
const OTHERWISE = {
  'sql/source_facts': 'the output holds where the input lies: a path here, a name in the page',
};

/** Every input of the corpus; `CASE=csv/` takes some. */
function cases() {
  const corpus = path.join(root, 'tests', 'corpus');
  const folders = fs.readdirSync(corpus).flatMap((format) => fs.readdirSync(path.join(corpus, format)).map((name) => `${format}/${name}`));
  for (const name of Object.keys(OTHERWISE)) assert.ok(folders.includes(name), `${name} is gone from the corpus`);
  return folders
    .filter((name) => !(name in OTHERWISE) && name.includes(process.env.CASE ?? ''))
    .flatMap((name) => {
      const folder = path.join(corpus, name);
      const inputs = fs.readdirSync(folder).filter((file) => /^input\d*\./.test(file));
      const spec = fs.existsSync(path.join(folder, 'transform.toml')) ? path.join(folder, 'transform.toml') : null;
      return inputs.map((input) => ({ name: `${name}/${input}`, input: path.join(folder, input), spec }));
    });
}

/** What the command line says: its receipt, or its problem. */
async function ofCommand({ input, spec }, folder) {
  const arguments_ = ['preview', input, '--json', '--transform', component, '--lake', path.join(folder, 'lake')];
  if (spec) arguments_.push('--spec', spec);
  const { stdout } = await promisify(execFile)(command, arguments_, { maxBuffer: 64 << 20 }).catch((error) => error);
  // An object would have names that are numbers first.
  const { receipt, error, rejected, tables } = JSON.parse(stdout.replace(/(?<!\\)"(\d+)":/g, '"#$1":'));
  if (error) return { problem: error.message };
  // An object a row: without rows there are no names.
  const rows = tables[0]?.rows.map((row) => Object.values(row)) ?? [];
  return { receipt, rejected, rows };
}

/** What the page says, after the file and its spec were picked together; where only the file says a spec, that and its receipt too. */
async function ofPage(page, { input, spec }) {
  await page.locator('#pick').setInputFiles(spec ? [input, spec] : [input]);
  await settled(page);
  const alert = page.getByRole('alert').locator('strong');
  let [said, pinned, proposal] = [];
  if ((await alert.count()) > 0) {
    said = { problem: (await alert.innerText()).replace(/^[^:]*: /, '') };
  } else {
    await tab(page, 'Take away');
    await page.locator('#receipt, .taken .wrong').waitFor();
    const bare = page.getByLabel('Without a spec, as lakegate run FILE does it');
    if ((await bare.count()) > 0) {
      pinned = JSON.parse(await page.locator('#receipt').innerText());
      await bare.check();
    }
    const receipt = JSON.parse(await page.locator('#receipt').innerText());
    const rejected = await page.locator('.sentence strong').innerText();
    await tab(page, 'Rows');
    await page.waitForFunction(() => document.querySelector('td.waiting') === null);
    said = { receipt, rejected: Number(rejected.replace(/[^0-9]/g, '')), rows: await shownRows(page) };
    if (pinned) {
      await tab(page, 'Spec');
      proposal = { receipt: pinned, spec: await page.getByRole('textbox', { name: 'Spec' }).inputValue() };
    }
  }
  await page.getByRole('button', { name: /^Remove / }).click();
  return { said, proposal };
}

/** The first rows of the first table, as the Rows view shows them. */
function shownRows(page) {
  return page.locator('.rows tbody tr').evaluateAll((rows) => {
    const text = (cell) => (cell.classList.contains('null') ? null : cell.classList.contains('blank') ? '' : cell.textContent);
    return rows.slice(0, 10).map((row) => [...row.cells].filter((cell) => !cell.classList.contains('index')).map(text));
  });
}

test('every case comes out of Chromium as out of the command line', { timeout: 900_000 }, async (t) => {
  const browser = await start();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  const { page, quiet } = await browser.open();
  try {
    let [compared, proposals] = [0, 0];
    const different = [];
    for (const one of cases()) {
      const [expected, { said: actual, proposal }] = [await ofCommand(one, folder), await ofPage(page, one)];
      if (!isDeepStrictEqual(actual, expected)) different.push({ name: one.name, expected, actual });
      if (proposal) {
        // What is taken away with a proposal is what the command makes under it.
        const spec = path.join(folder, 'transform.toml');
        fs.writeFileSync(spec, proposal.spec);
        const { receipt } = await ofCommand({ input: one.input, spec }, folder);
        if (!isDeepStrictEqual(proposal.receipt, receipt)) different.push({ name: `${one.name}, its proposal`, expected: receipt, actual: proposal.receipt });
        proposals += 1;
      }
      compared += actual.receipt?.outputs.length ?? 0;
    }
    assert.deepEqual(different, []);
    assert.ok(process.env.CASE || compared > 150, `only ${compared} part files were compared`);
    assert.ok(process.env.CASE || proposals > 50, `only ${proposals} proposals were taken away`);
    t.diagnostic(`${cases().length} inputs, ${compared} part files and ${proposals} proposals equal`);
    quiet();
  } finally {
    await browser.stop();
    fs.rmSync(folder, { recursive: true });
  }
});

test('the receipt on the page is the command line’s, key for key', { timeout: 120_000 }, async () => {
  const browser = await start();
  const { page, quiet } = await browser.open();
  try {
    const input = path.join(root, 'tests', 'examples', 'orders', 'orders_ETL.json');
    await pick(page, 'orders_ETL.json', fs.readFileSync(input));
    await settled(page);
    await tab(page, 'Take away');
    await page.getByLabel('Without a spec, as lakegate run FILE does it').check();
    const shown = await page.locator('#receipt').innerText();
    const { receipt } = await ofCommand({ input, spec: null }, os.tmpdir());
    assert.equal(shown.trim(), JSON.stringify(receipt, null, 2));
    quiet();
  } finally {
    await browser.stop();
  }
});
