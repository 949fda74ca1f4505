// Other components in the page: dropped ones and releases, transpiled there.
//
// The one decision to know: what such a component makes is compared with what the command line makes with the very same
// file, and the words of a refusal with the command line's.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before } from 'node:test';
import { promisify } from 'node:util';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { command, made, root, target } from '../build/paths.mjs';
import { pick, settled, shot, tab } from './browser.mjs';
import { accessible, dropFiles, LOOKS, pages } from './steps.mjs';

const on = pages();
const shipped = fs.readFileSync(path.join(made, 'lakegate.wasm'));
const example = path.join(root, 'tests', 'examples', 'mask-score');
const maskScore = path.resolve(process.env.LAKEGATE_MASK_SCORE ?? path.join(target, 'component', 'mask-score.wasm'));
const orders = fs.readFileSync(path.join(root, 'tests', 'examples', 'orders', 'orders_ETL.json'));

before(() => {
  assert.ok(fs.existsSync(maskScore), `no component at ${maskScore}\n  hint: make it with \`cargo xtask component --package mask-score\``);
});

/** Drops a component and says yes. */
async function run(page, name, bytes) {
  await dropFiles(page, { [name]: bytes });
  await page.getByRole('button', { name: 'Run it' }).click();
  await page.waitForFunction((text) => document.querySelector('[aria-label="Transform"]')?.selectedOptions[0]?.textContent === text, name);
  await page.waitForFunction(() => !document.querySelector('[aria-label="Transform"]').disabled);
}

async function receiptOf(page) {
  await settled(page);
  await tab(page, 'Take away');
  return JSON.parse(await page.locator('#receipt').innerText());
}

/** The words of the command line about a component that it does not run. */
async function commandOn(file) {
  const input = path.join(root, 'tests', 'examples', 'orders', 'orders_ETL.json');
  const ran = await promisify(execFile)(command, ['preview', input, '--json', '--transform', file]).catch((error) => error);
  return JSON.parse(ran.stdout);
}

on('the shipped component, dropped, makes the same bytes through glue that was made in the page', {}, async (page) => {
  const asked = [];
  page.on('request', (request) => asked.push(path.basename(new URL(request.url()).pathname)));
  await page.locator('#component:not(:empty)').waitFor();
  await page.reload();
  await pick(page, 'orders_ETL.json', orders);
  const before = await receiptOf(page);
  assert.deepEqual(asked.filter((name) => /^vet-|bindgen/.test(name)), [], 'the transpiler is no part of the first load');
  const started = Date.now();
  await run(page, 'lakegate.wasm', shipped);
  const after = await receiptOf(page);
  console.log(`transpiled and run after ${Date.now() - started} ms`);
  assert.deepEqual(after, before);
  assert.ok(asked.some((name) => /bindgen.*\.wasm$/.test(name)), 'the transpiler was fetched now');
  assert.match(await page.locator('#component').getAttribute('title'), new RegExp(`Your component lakegate.wasm, .*${before.component}`));
  await shot(page, 'component-dropped');
  await page.getByLabel('Transform').selectOption('');
  assert.deepEqual(await receiptOf(page), before);
});

on('a dropped component runs only after a plain sentence and a click', {}, async (page) => {
  await pick(page, 'orders_ETL.json', orders);
  await settled(page);
  await dropFiles(page, { 'mask-score.wasm': fs.readFileSync(maskScore) });
  const dialog = page.getByRole('dialog', { name: 'Run mask-score.wasm?' });
  await dialog.waitFor();
  assert.match(await dialog.innerText(), /code that you bring: nobody signed it.*imports nothing.*sees the files/s);
  const { createHash } = await import('node:crypto');
  assert.match(await dialog.innerText(), new RegExp(createHash('sha256').update(fs.readFileSync(maskScore)).digest('hex')));
  await accessible(page, 'the question');
  await shot(page, 'component-question');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.ok(!(await page.getByLabel('Transform').isVisible()), 'there is nothing to choose');
  assert.match(await page.locator('#component').innerText(), /^lakegate /);
});

on('another component makes in the page what the command line makes with it', {}, async (page) => {
  const files = { 'mask-score.wasm': fs.readFileSync(maskScore), 'sample.json': fs.readFileSync(path.join(example, 'sample.json')), 'transform.toml': fs.readFileSync(path.join(example, 'transform.toml')) };
  await dropFiles(page, files);
  await page.getByRole('button', { name: 'Run it' }).click();
  const inPage = await receiptOf(page);
  const arguments_ = ['preview', path.join(example, 'sample.json'), '--json', '--transform', maskScore, '--spec', path.join(example, 'transform.toml')];
  const { stdout } = await promisify(execFile)(command, arguments_).catch((error) => error);
  assert.deepEqual(inPage, JSON.parse(stdout).receipt);
  await tab(page, 'Rows');
  await page.getByText('a***@example.com').first().waitFor();
  await page.getByRole('columnheader', { name: /^risk_score/ }).waitFor();
  await shot(page, 'component-mask-score');
});

/** A component that exports an interface with nothing in it. */
const empty = (name) => parse(`(component (instance $i) (export "${name}" (instance $i)))`);

on('what must not run is refused in the command line’s words', {}, async (page) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  const cases = {
    'clocks.wasm': await parse('(component (import "wasi:clocks/wall-clock@0.2.0" (instance (export "now" (func (result u64))))) (import "wasi:random/random@0.2.0" (instance)))'),
    'newer.wasm': await empty('lakegate:transform/transform@2.0.0'),
    'nothing.wasm': await parse('(component)'),
    'hollow.wasm': await empty('lakegate:transform/transform@1.0.0'),
    'core.wasm': await parse('(module)'),
    'text.wasm': Buffer.from('hello'),
    'cut.wasm': shipped.subarray(0, 5000),
  };
  try {
    for (const [name, bytes] of Object.entries(cases)) {
      const file = path.join(folder, name);
      fs.writeFileSync(file, bytes);
      const { error } = await commandOn(file);
      await dropFiles(page, { [name]: bytes });
      if (name === 'hollow.wasm') await page.getByRole('button', { name: 'Run it' }).click();
      await page.getByRole('alert').getByText(name).waitFor();
      const said = await page.getByRole('alert').innerText();
      // Reasons of the engine are its own: what stands before them must agree.
      const words = (text) => text.replaceAll(`${folder}/`, '').replace(/(can run here): .*/s, '$1');
      assert.equal(words(said.split('\n')[0]), `error in the transform: ${words(error.message)}`);
      assert.ok(said.includes(`hint: ${error.hint}`), said);
      console.log(said.split('\n')[0]);
      if (name === 'clocks.wasm') {
        await accessible(page, 'a refusal');
        await shot(page, 'component-refused');
      }
      await page.getByRole('button', { name: 'Dismiss' }).click();
    }
    assert.match(await page.locator('#component').innerText(), /^lakegate /);
    await pick(page, 'orders_ETL.json', orders);
    await settled(page);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

/** Lets the first step of a dropped component do `what` once for each worker. */
async function sabotage(page, what) {
  await page.locator('#component:not(:empty)').waitFor();
  await page.route('**/assets/worker-*.js', async (route) => {
    const script = await (await route.fetch()).text();
    const step = /([\w$]+)\.step\(\)/;
    assert.match(script, step);
    await route.fulfill({ contentType: 'text/javascript', body: script.replace(step, (_, job) => `(self.location.protocol==='blob:'&&!self.done&&(self.done=true)?${what}:${job}.step())`) });
  });
  await page.reload();
}

on('a trap of a dropped component discards its instance and says so', {}, async (page) => {
  await sabotage(page, '(()=>{throw new WebAssembly.RuntimeError("unreachable")})()');
  await run(page, 'lakegate.wasm', shipped);
  await pick(page, 'a.json', '{"a": 1}');
  await page.getByText('the transform crashed: unreachable').waitFor();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByText('1 row of a, 1 column', { exact: true }).waitFor();
});

on('a dropped component that hangs is ended by cancel, and runs again', {}, async (page) => {
  await sabotage(page, '(()=>{for(const end=Date.now()+60000;Date.now()<end;);})()');
  await run(page, 'lakegate.wasm', shipped);
  await pick(page, 'a.json', '{"a": 1}');
  await page.getByRole('button', { name: 'Cancel' }).first().click();
  await page.getByRole('button', { name: 'Run again' }).waitFor({ timeout: 10_000 });
  // The hang was once for each worker; a worker that was ended hangs no more.
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByText('1 row of a, 1 column', { exact: true }).waitFor();
});

on('progress and cancel are those of the shipped component', {}, async (page) => {
  await run(page, 'lakegate.wasm', shipped);
  await pick(page, 'big.ndjson', `${JSON.stringify({ text: 'x'.repeat(200), n: 1 })}\n`.repeat(200_000));
  await page.getByText(/^pass 1: [\d.]+ MiB/).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).first().click();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.locator('.sentence').waitFor({ timeout: 60_000 });
  assert.match(await page.locator('.sentence').innerText(), /^200,000 records/);
  await page.locator('.scroller').evaluate((element) => (element.scrollTop = element.scrollHeight));
  // The number of the row, and once its block is there that of its record.
  await page.getByRole('cell', { name: '200,000', exact: true }).nth(1).waitFor();
});

for (const [name, settings] of LOOKS) {
  on(`axe finds nothing with components: ${name}`, settings, async (page) => {
    await dropFiles(page, { 'mask-score.wasm': fs.readFileSync(maskScore) });
    await page.getByRole('dialog').waitFor();
    await accessible(page, `${name} question`);
    await shot(page, `${name}-component-question`);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.waitForFunction(() => document.querySelector('[aria-label="Transform"]').value !== '');
    await accessible(page, `${name} chosen, empty`);
    await pick(page, 'orders_ETL.json', orders);
    await settled(page);
    await accessible(page, `${name} chosen`);
    await dropFiles(page, { 'nothing.wasm': await parse('(component)') });
    await page.getByRole('alert').waitFor();
    await accessible(page, `${name} refused`);
    await shot(page, `${name}-component-refused`);
  });
}
