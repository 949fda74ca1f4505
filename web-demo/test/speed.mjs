// How soon the page shows an example, in a browser that never saw it: `node test/speed.mjs`. How fast it is beside the
// native sandbox, and how much memory it takes: `node test/speed.mjs FILE`. What a frame costs while a table of 300 columns
// and 500,000 rows scrolls: `node test/speed.mjs --scroll`.
//
// Not a test: machines differ. The one decision to know: both run the same component over the same file one after the
// other, both in two passes, so that their ratio says something on any machine.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { command, made } from '../build/paths.mjs';
import { start } from './browser.mjs';
import { scrolled } from './frames.mjs';

const SAMPLES = 5;

function native(file) {
  const started = performance.now();
  const { status } = spawnSync(command, ['preview', file, '--json', '--rows', '0', '--transform', path.join(made, 'lakegate.wasm')], { stdio: 'ignore' });
  if (status !== 0 && status !== 1) throw new Error(`lakegate preview ended with ${status}`);
  return (performance.now() - started) / 1000;
}

/** Largest resident set of any of the browser's processes that `is` of their command line, in MiB. */
function peak(is) {
  let most = 0;
  for (const id of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = fs.readFileSync(`/proc/${id}/cmdline`, 'utf8');
      if (!line.includes('chrom') || !is(line)) continue;
      most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) / 1024);
    } catch {
      // It ended meanwhile.
    }
  }
  return most;
}

/** Opens the page in a new browser and tries an example as soon as it can be clicked. */
async function example() {
  const browser = await start();
  const opened = performance.now();
  const { page, close } = await browser.open();
  const example = page.getByRole('button', { name: /^Orders/ });
  await example.waitFor();
  const clicked = performance.now();
  await example.click();
  await page.locator('.rows tbody td').first().waitFor();
  const seconds = [clicked - opened, performance.now() - clicked].map((milliseconds) => milliseconds / 1000);
  await close();
  await browser.stop();
  return seconds;
}

async function file(name) {
  const megabytes = fs.statSync(name).size / 2 ** 20;
  native(name); // Compiles the component into the command's cache.
  const browser = await start();
  const { page, close } = await browser.open();
  await page.locator('#component:not(:empty)').waitFor({ state: 'attached' });
  const seconds = native(name);
  const started = performance.now();
  await page.locator('#pick').setInputFiles(name);
  await page.locator('.sentence').waitFor({ timeout: 600_000 });
  const inPage = (performance.now() - started) / 1000;
  console.log(await page.locator('.sentence').innerText());
  console.log(`native ${(megabytes / seconds).toFixed(1)} MiB/s, page ${(megabytes / inPage).toFixed(1)} MiB/s: ${Math.round((100 * seconds) / inPage)} %`);
  // The page and its workers are in a renderer; the browser's own process keeps the blobs that they made.
  const [renderer, own] = [peak((line) => line.includes('--type=renderer')), peak((line) => !line.includes('--type='))];
  console.log(`largest renderer ${Math.round(renderer)} MiB, the browser's own process ${Math.round(own)} MiB`);
  await close();
  await browser.stop();
}

const [name] = process.argv.slice(2);
if (name === '--scroll') await scrolled();
else if (name) await file(path.resolve(name));
else {
  for (let sample = 0; sample < SAMPLES; sample++) {
    const [open, rows] = await example();
    console.log(`page open after ${open.toFixed(2)} s, rows of the example ${rows.toFixed(2)} s after the click`);
  }
}
