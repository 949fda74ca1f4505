// What a frame costs while a large table scrolls: script and layout, from Chromium's own trace.
//
// Not a test: machines differ (`speed.mjs` prints it). The one decision to know: the page is scrolled once a frame by a
// callback that the trace names, so that each frame is what lies between two of them; of what is nested, the outer counts, and
// of each the processor's time of the page's thread, which nothing else on the machine takes part in.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { start } from './browser.mjs';

const ROWS = 500_000;
const COLUMNS = 300;
const FRAMES = 240;
/** Script, with what the engine does for it; and what comes before painting. */
const SCRIPT = ['FunctionCall', 'EvaluateScript', 'EventDispatch', 'FireAnimationFrame', 'TimerFire', 'RunMicrotasks', 'HandlePostMessage', 'MinorGC', 'MajorGC'];
const LAYOUT = ['Layout', 'UpdateLayoutTree', 'PrePaint'];

/** How far it is scrolled in a frame: by a wheel, by a hand on the bar, sideways. */
const WAYS = [
  ['three rows a frame', { top: 90, left: 0 }],
  ['a hundred screens a frame', { top: 60_000, left: 0 }],
  ['two thirds of a column a frame', { top: 0, left: 60 }],
];

/** A CSV of short values, written piece by piece. */
async function table(file) {
  const stream = fs.createWriteStream(file);
  stream.write(`${Array.from({ length: COLUMNS }, (_, column) => `column_${column}`).join(',')}\n`);
  for (let row = 0; row < ROWS; row++) {
    const line = Array.from({ length: COLUMNS }, (_, column) => (row * 7 + column * 13) % 97).join(',');
    if (!stream.write(`${line}\n`)) await new Promise((resolve) => stream.once('drain', resolve));
  }
  await new Promise((resolve) => stream.end(resolve));
}

/** Milliseconds of each frame that the page's thread spends in events of these names. */
function frames(events, names) {
  const driver = events.find(({ name, args }) => name === 'FunctionCall' && args.data?.functionName === 'scrollFrame');
  const mine = events.filter(({ pid, tid, ph, dur }) => pid === driver.pid && tid === driver.tid && ph === 'X' && dur !== undefined).sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const begins = mine.filter(({ name, args }) => name === 'FunctionCall' && args.data?.functionName === 'scrollFrame').map(({ ts }) => ts);
  const costs = begins.map(() => 0);
  let [frame, until] = [-1, 0];
  for (const { name, ts, dur, tdur } of mine) {
    while (frame + 1 < begins.length && ts >= begins[frame + 1]) frame++;
    if (frame < 0 || !names.includes(name) || ts < until) continue;
    until = ts + dur;
    costs[frame] += (tdur ?? dur) / 1000;
  }
  return costs;
}

function told(costs) {
  const sorted = [...costs].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  return `median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, longest ${at(1)} ms`;
}

async function traced(page, step) {
  const browser = page.context().browser();
  await page.locator('.scroller').evaluate((element) => element.scrollTo(0, 0));
  await page.waitForTimeout(1_000);
  await browser.startTracing(page, { categories: ['-*', 'devtools.timeline', 'v8', 'disabled-by-default-devtools.timeline'] });
  await page.evaluate(
    ([{ top, left }, most]) =>
      new Promise((resolve) => {
        const element = document.querySelector('.scroller');
        let done = 0;
        requestAnimationFrame(function scrollFrame() {
          element.scrollBy(left, top);
          if (++done < most) requestAnimationFrame(scrollFrame);
          else setTimeout(resolve, 100);
        });
      }),
    [step, FRAMES],
  );
  return JSON.parse((await browser.stopTracing()).toString()).traceEvents;
}

/** Scrolls a table of 300 columns and 500,000 rows, and prints what its frames cost. */
export async function scrolled() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lakegate-'));
  const browser = await start();
  try {
    const file = path.join(folder, 'wide.csv');
    await table(file);
    const { page } = await browser.open();
    await page.locator('#pick').setInputFiles(file);
    await page.locator('.sentence').waitFor({ timeout: 600_000 });
    console.log(await page.locator('.sentence').innerText());
    await page.locator('.rows tbody td.number:not(.index)').first().waitFor();
    for (const [name, step] of WAYS) {
      const events = await traced(page, step);
      console.log(`${name}: script and layout ${told(frames(events, [...SCRIPT, ...LAYOUT]))}; script alone ${told(frames(events, SCRIPT))}`);
    }
  } finally {
    await browser.stop();
    fs.rmSync(folder, { recursive: true });
  }
}
