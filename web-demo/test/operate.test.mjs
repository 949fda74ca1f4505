// What an operator sees and does on the page: the channel as it moves, what ran beside, what failed taken again.
//
// Against the command itself, its registry and its lake. The one decision to know: each test has a registry and a server
// of its own, since what happens to a channel is what is tested.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { shot, start } from './browser.mjs';
import { inFolder, publish, run, serving, signed, trusted } from './registry.mjs';
import { accessible, cells, LOOKS } from './steps.mjs';

const plain = '[[table]]\nname = "orders"\n\n[[table.column]]\nname = "id"\ntype = "bigint"\n\n[[table.column]]\nname = "price"\ntype = "double"\n';
/** Releases by version, and what each is for. */
const specs = {
  '1.0.0': plain,
  // Another text, and the same tables.
  '1.0.1': `${plain}# the same\n`,
  // One column more.
  '1.1.0': `${plain}\n[[table.derive]]\nname = "gross"\nsql = "price * 1.2"\n`,
  // No record comes through.
  '1.2.0': `${plain}\n[[table.check]]\nname = "none"\nsql = "id < 0"\n`,
  // Another type than the table has: no host of this lake takes it over.
  '2.0.0': plain.replace('bigint', 'string'),
};
const rows = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => `{"id":${from + n},"price":${from + n}.5}\n`).join('');

/** A test with a registry, a server that runs `transform`, and an open page. */
function on(name, { versions = Object.keys(specs), transform = 'orders', settings = {} }, body) {
  test(name, { timeout: 180_000 }, () =>
    inFolder(async (folder) => {
      await publish(folder, versions.map((version) => ({ name: 'orders', version, spec: specs[version] })));
      const promote = (...args) => run(folder, 'promote', 'orders', ...args, ...signed);
      await promote(versions[0], '--by', 'Ada', '--reason', 'the first');
      await serving(folder, transform, async (address) => {
        const browser = await start({ address });
        const { page, quiet } = await browser.open(settings);
        const load = (file, content) => upload(address, file, content);
        try {
          await page.getByLabel('Transform', { exact: true }).waitFor();
          await body({ page, folder, address, promote, load });
          quiet();
        } finally {
          await browser.stop();
        }
      });
    }),
  );
}

/** Puts a file into the lake as a program does; what came of it. */
async function upload(address, name, content) {
  const { id } = await (await fetch(`${address}api/raw/${name}`, { method: 'PUT', body: content })).json();
  for (;;) {
    const told = await (await fetch(`${address}api/uploads/${id}`)).json();
    if (['done', 'failed'].includes(told.state)) return told;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const role = (page, name) => page.getByRole('region', { name, exact: true });
const events = (page) => page.getByRole('log', { name: 'Events' }).locator('strong').allInnerTexts();

on('the page shows what is in use, and what happens to it as it comes', {}, async ({ page, folder, promote, load }) => {
  await page.getByRole('button', { name: 'Releases', exact: true }).click();
  await page.getByText(/Channel orders: document 1 is in use here since /).waitFor();
  assert.match(await role(page, 'Stable').innerText(), /orders@1\.0\.0\s+takes all objects\s+since /);
  assert.deepEqual([await role(page, 'Canary').locator('p').innerText(), await role(page, 'Shadow').locator('p').innerText()], ['none', 'none']);
  await page.getByText('Nothing happened to the channel since this server began.').waitFor();
  // A shadow comes, and a canary.
  await promote('1.1.0', '--shadow');
  await page.getByText('Document 2 is in use: orders@1.0.0 is stable').waitFor();
  await role(page, 'Shadow').getByText('orders@1.1.0').waitFor();
  await role(page, 'Shadow').getByText('runs beside, writes nothing').waitFor();
  assert.equal((await load('one.ndjson', rows(1, 3))).commit.rows, 3);
  await promote('1.2.0', '--canary', '0.5%', '--by', 'Grace', '--reason', 'a small share first');
  await role(page, 'Canary').getByText('takes 0.5% of the objects').waitFor();
  await role(page, 'Stable').getByText('takes the other 99.5% of the objects').waitFor();
  await role(page, 'Shadow').getByText('1 of 1 object would come out otherwise').waitFor();
  assert.deepEqual((await cells(page, 'Changes of the channel')).map(([document, , what, by, , why]) => [document, what, by, why]), [
    ['3', 'orders@1.2.0 is the canary', 'Grace', 'a small share first'],
    ['2', 'orders@1.1.0 is the shadow', '', ''],
    ['1', 'orders@1.0.0 is stable', 'Ada', 'the first'],
  ]);
  await shot(page, 'operate-releases');
  await page.getByLabel('Transform', { exact: true }).locator('option').filter({ hasText: /^orders@1\.2\.0 · canary$/ }).waitFor({ state: 'attached' });
  // One that this lake cannot have: it is refused, and says why.
  await promote('2.0.0');
  await page.getByText('Document 4 is refused: orders@1.0.0 stays').waitFor();
  const said = await page.getByRole('alert').first().innerText();
  assert.match(said, /^channel document 4 is not in use here: .*bigint/);
  assert.match(said, /hint: a type already written never changes by itself.*release_conflicts · orders@1\.0\.0 stays in use/s);
  assert.match(await role(page, 'Stable').innerText(), /since /);
  await page.getByText(/The registry has document 4, with orders@2\.0\.0 as stable\./).waitFor();
  await shot(page, 'operate-refused');
  await run(folder, 'rollback', 'orders', ...signed, '--lake', 'lake', '--to', '1.0.0');
  await page.getByText('Document 5 is in use: orders@1.0.0 is stable').waitFor();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  // The choice in the head says what is used as what now.
  await page.getByLabel('Transform', { exact: true }).locator('option').filter({ hasText: /^orders@1\.0\.0 · stable$/ }).waitFor({ state: 'attached' });
  assert.ok((await events(page)).length >= 5, 'what was told stays');
});

on('a canary that cannot be used is left out', { versions: ['1.0.0', '2.0.0'] }, async ({ page, promote, load }) => {
  await load('one.ndjson', rows(1, 3));
  await page.getByRole('button', { name: 'Releases', exact: true }).click();
  await page.getByText(/document 1 is in use here/).waitFor();
  await promote('2.0.0', '--canary', '10%');
  await page.getByText('Document 2 goes on without orders@2.0.0').waitFor();
  await role(page, 'Canary').getByText('orders@2.0.0, left out').waitFor();
  await role(page, 'Stable').getByText('takes all objects').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /^orders@2\.0\.0 is left out as canary: .*bigint.*release_conflicts · the document goes on without it/s);
  await shot(page, 'operate-left-out');
});

on('a registry that is away is told of, and that it is back', { versions: ['1.0.0'] }, async ({ page, folder }) => {
  await page.getByRole('button', { name: 'Releases', exact: true }).click();
  await page.getByText(/document 1 is in use here/).waitFor();
  const document = path.join(folder, 'registry', 'channels', 'orders.json');
  const away = path.join(folder, 'away.json');
  fs.renameSync(document, away);
  fs.mkdirSync(document);
  await page.getByText(/: orders@1\.0\.0 stays$/).first().waitFor();
  await page.getByRole('alert').first().waitFor();
  await role(page, 'Stable').getByText('orders@1.0.0').waitFor();
  await accessible(page, 'a registry that is away');
  await shot(page, 'operate-away');
  fs.rmdirSync(document);
  fs.renameSync(away, document);
  await page.getByRole('alert').waitFor({ state: 'detached' });
});

on('what ran beside is told in words, object by object', { versions: ['1.0.0', '1.1.0'] }, async ({ page, folder, promote, load }) => {
  await promote('1.1.0', '--shadow');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  // The server looks with the first, and has the shadow for the others.
  for (const name of ['one', 'two', 'three']) {
    await load(`${name}.ndjson`, rows(1, 4));
    await new Promise((resolve) => setTimeout(resolve, 600));
  }
  await page.getByRole('button', { name: 'Releases', exact: true }).click();
  const beside = page.getByRole('region', { name: 'orders@1.1.0 beside', exact: true });
  await beside.getByText(/^\d of \d objects? would come out otherwise$/).waitFor();
  const last = beside.locator('li').filter({ hasText: 'three.ndjson' }).first();
  await last.getByText('generation 1, made by orders@1.0.0, channel document 2').waitFor();
  await last.getByText('1 other column in orders.').first().waitFor();
  // By the keyboard alone, and it stays open while the page asks again.
  await last.getByText('What differs').focus();
  await page.keyboard.press('Enter');
  await last.getByText('orders.gross: a new column, double').waitFor();
  await load('four.ndjson', rows(1, 2));
  await beside.locator('li').filter({ hasText: 'four.ndjson' }).first().waitFor({ timeout: 30_000 });
  assert.ok(await last.getByText('orders.gross: a new column, double').isVisible());
  // Who else writes to this lake.
  fs.writeFileSync(path.join(folder, 'five.ndjson'), rows(1, 1));
  await run(folder, 'run', 'five.ndjson', '--lake', 'lake', '--transform', 'orders', ...trusted);
  await page.getByRole('region', { name: 'Others that write to this lake' }).waitFor();
  const [host] = await cells(page, 'Others that write to this lake');
  assert.deepEqual([host[0], host[1], host[3]], ['run', 'orders@1.0.0, channel document 2', 'follows the channel']);
  await accessible(page, 'what ran beside');
  await page.setViewportSize({ width: 1280, height: 1500 });
  await shot(page, 'operate-beside');
});

on('a shadow that makes the same is told apart from one that takes nothing', { versions: ['1.0.0', '1.0.1', '1.2.0'] }, async ({ page, promote, load }) => {
  await page.getByRole('button', { name: 'Releases', exact: true }).click();
  await page.getByText(/document 1 is in use here/).waitFor();
  for (const version of ['1.0.1', '1.2.0']) {
    await promote(version, '--shadow');
    await role(page, 'Shadow').getByText(`orders@${version}`).waitFor();
    await load(`under ${version}.ndjson`, rows(1, 12));
  }
  const same = page.getByRole('region', { name: 'orders@1.0.1 beside', exact: true });
  await same.getByText('none of 1 object would come out otherwise').waitFor();
  await same.getByText('1 object comes out the same').click();
  await same.getByText('under 1.0.1.ndjson').waitFor();
  const none = page.getByRole('region', { name: 'orders@1.2.0 beside', exact: true });
  await none.getByText(/^The shadow does not take it: 12 of 12 records were rejected.*\(too_many_rejected\)\.$/).waitFor();
  await shot(page, 'operate-same');
});

on('a server of one release says so', { versions: ['1.0.0'], transform: 'orders@1.0.0' }, async ({ page }) => {
  await page.getByRole('button', { name: 'Releases', exact: true }).click();
  await page.getByText('This server runs orders@1.0.0 whatever its channel says; its channel is at document 1.').waitFor();
});

on('what failed is taken again, one by one and all', { versions: ['1.0.0', '1.2.0'] }, async ({ page, folder, address, promote, load }) => {
  await promote('1.2.0');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (let tries = 0; (await load(`probe${tries}.ndjson`, rows(1, 12))).state !== 'failed'; tries++) assert.ok(tries < 40, 'the server takes over 1.2.0');
  for (const name of ['a.ndjson', 'b.ndjson']) assert.equal((await load(name, rows(1, 12))).state, 'failed');
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  const failed = page.getByRole('region', { name: 'Files that failed', exact: true });
  await failed.getByRole('heading', { name: '3 files failed' }).waitFor();
  const b = failed.locator('ol > li').filter({ hasText: 'b.ndjson' });
  assert.match(await b.innerText(), /b\.ndjson .*too_many_rejected · failed under orders@1\.2\.0, channel document 2 · /s);
  assert.match(await b.innerText(), /hint: /);
  await accessible(page, 'files that failed');
  await shot(page, 'operate-failed');
  // The cause is there still.
  await failed.getByRole('button', { name: 'Take again b.ndjson' }).click();
  const said = failed.getByRole('status');
  await said.getByText('1 failed again').waitFor();
  assert.match(await said.innerText(), /b\.ndjson failed again: .*rejected/);
  // The reader goes on at what came of it.
  await page.waitForFunction(() => document.activeElement?.matches('.again'));
  // It is gone, and one is taken, by the keyboard.
  await run(folder, 'rollback', 'orders', ...signed, '--lake', 'lake');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await fetch(`${address}api/about`);
  await failed.getByRole('button', { name: 'Take again b.ndjson' }).focus();
  await page.keyboard.press('Enter');
  await said.getByText('1 taken', { exact: true }).waitFor();
  await said.getByText('b.ndjson is taken: 12 rows, 0 records in quarantine · made by orders@1.0.0, channel document 3').waitFor();
  await failed.getByRole('heading', { name: '2 files failed' }).waitFor();
  await shot(page, 'operate-taken');
  // The others: those of the release that failed them.
  await failed.getByLabel('Of which release').selectOption('orders@1.2.0');
  await failed.getByRole('button', { name: 'Take all again' }).click();
  await said.getByText('2 taken', { exact: true }).waitFor();
  // Nothing is left.
  await failed.getByRole('heading').waitFor({ state: 'detached' });
  const commits = (await cells(page, 'Commits')).filter(([, name]) => /^[ab]\./.test(name));
  assert.deepEqual(commits.map(([, name, , made, , state, release]) => [name, made, state, release]).sort(), ['a', 'b'].map((name) => [`${name}.ndjson`, '12', 'in the tables', 'orders@1.0.0, channel document 3']));
});

on('what failed from elsewhere is named and not taken', { versions: ['1.0.0', '1.2.0'] }, async ({ page, folder, promote }) => {
  await promote('1.2.0');
  fs.writeFileSync(path.join(folder, 'far.ndjson'), rows(1, 12));
  await run(folder, 'run', 'far.ndjson', '--lake', 'lake', '--transform', 'orders', ...trusted).catch(() => {});
  await page.getByRole('button', { name: 'Lake', exact: true }).click();
  await page.getByRole('button', { name: 'Take all again' }).click();
  await page.getByText('far.ndjson does not lie in this lake’s raw folder: lakegate run --failed takes it').waitFor();
});

for (const [name, settings] of LOOKS) {
  on(`axe finds nothing in the releases and in what failed: ${name}`, { versions: ['1.2.0', '1.0.0', '1.1.0'], settings }, async ({ page, promote, load }) => {
    await promote('1.0.0', '--canary', '10%');
    await promote('1.1.0', '--shadow', '--by', 'Ada', '--reason', 'for a look');
    assert.equal((await load('long_name_of_a_file_that_came_in_the_night_of_the_first_of_january.ndjson', rows(1, 12))).state, 'failed');
    await page.getByRole('button', { name: 'Releases', exact: true }).click();
    await role(page, 'Shadow').getByText('orders@1.1.0').waitFor();
    await page.getByRole('log').getByText('Document 3 is in use: orders@1.2.0 is stable').waitFor();
    await accessible(page, `${name} releases`);
    await shot(page, `${name}-operate-releases`);
    await page.getByRole('button', { name: 'Lake', exact: true }).click();
    await page.getByRole('heading', { name: '1 file failed' }).waitFor();
    await accessible(page, `${name} what failed`);
    await shot(page, `${name}-operate-failed`);
  });
}
