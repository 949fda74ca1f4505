// Releases of a registry in the page.
//
// The one decision to know: `answering` answers as `lakegate serve` does. It is a small server of this file's own, so
// that a release can also be altered on its way; the last test has the command itself answer.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { made, root, target } from '../build/paths.mjs';
import { pick, settled, shot, start, tab } from './browser.mjs';
import { inFolder, publish, run, serving, signed, trusted } from './registry.mjs';
import { accessible, cells, pages } from './steps.mjs';

const example = path.join(root, 'tests', 'examples', 'mask-score');
const maskScore = fs.readFileSync(process.env.LAKEGATE_MASK_SCORE ?? path.join(target, 'component', 'mask-score.wasm'));
const shipped = fs.readFileSync(path.join(made, 'lakegate.wasm'));
const sample = fs.readFileSync(path.join(example, 'sample.json'), 'utf8');
const maskSpec = fs.readFileSync(path.join(example, 'transform.toml'), 'utf8');
const plainSpec = maskSpec.replace('filter = "risk_score >= 1"\n', '').replace(/partition_by = .*\n/, '').replace(/\[\[table\.check\]\][\s\S]*$/, '');
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Releases by name and version; `sent` is what comes over the wire where it is not what was listed. */
const releases = [
  { name: 'orders', version: '1.2.0', component: shipped, spec: plainSpec },
  { name: 'orders', version: '1.3.0', component: maskScore, spec: maskSpec },
  { name: 'orders', version: '1.4.0', component: maskScore, spec: maskSpec, sent: shipped },
  { name: 'orders', version: '1.5.0', component: maskScore, spec: maskSpec, sentSpec: plainSpec },
];
const asked = [];

function answering(address) {
  asked.push(address);
  const json = (body) => ({ status: 200, body: JSON.stringify(body) });
  if (address === 'api/about') return json({ version: '0.1.0', lake: 'lake', component: digest(shipped), spec: null, release: null, releases: true, upload: true });
  if (address === 'api/contracts') return json({ tables: [] });
  if (address === 'api/commits') return json({ commits: [] });
  if (address === 'api/releases') {
    return json({
      releases: releases.map(({ name, version, component, spec }) => ({ name, version, manifest: digest(version), component: digest(component), spec: digest(spec), created: '2025-01-01T00:00:00Z' })),
      channels: [{ name: 'orders', sequence: 7, stable: '1.2.0', canary: '1.3.0', shadow: null }],
      refused: [{ name: 'orders', version: '1.1.0', problem: { fault: 'environment', code: 'signature_wrong', message: 'its signature does not verify' } }],
    });
  }
  const [, version, what] = /^api\/releases\/orders\/([^/]+)\/(component|spec)$/.exec(address) ?? [];
  const release = releases.find((one) => one.version === version);
  if (!release) return { status: 404, body: JSON.stringify({ problem: { fault: 'input', code: 'unknown_path', message: 'there is no such path', place: {} } }) };
  return { status: 200, body: what === 'spec' ? (release.sentSpec ?? release.spec) : (release.sent ?? release.component) };
}

const on = pages({ head: '<meta name="lakegate-serve" content="1">', api: answering });

async function choose(page, label) {
  await page.getByLabel('Transform', { exact: true }).selectOption({ label });
  await page.waitForFunction(() => !document.querySelector('[aria-label="Transform"]').disabled);
}

async function receiptOf(page) {
  await settled(page);
  await tab(page, 'Take away');
  return JSON.parse(await page.locator('#receipt').innerText());
}

on('releases are listed with their channels, and those that do not verify cannot be chosen', {}, async (page) => {
  const chooser = page.getByLabel('Transform', { exact: true });
  await chooser.waitFor();
  const labels = await chooser.locator('option').allInnerTexts();
  assert.deepEqual(labels.slice(1), [
    'orders@1.2.0 · stable',
    'orders@1.3.0 · canary',
    'orders@1.4.0',
    'orders@1.5.0',
    'orders@1.1.0 (refused: its signature does not verify)',
  ]);
  assert.ok(await chooser.locator('option').last().isDisabled());
  assert.ok(!asked.some((address) => /component$/.test(address)), 'nothing of a release is fetched before it is chosen');
  await accessible(page, 'chooser');
});

on('a release runs with its spec, and a spec of one’s own stays', {}, async (page) => {
  await pick(page, 'sample.json', sample);
  await settled(page);
  await choose(page, 'orders@1.3.0 · canary');
  const receipt = await receiptOf(page);
  assert.deepEqual([receipt.component, receipt.spec], [digest(maskScore), digest(maskSpec)]);
  assert.match(await page.locator('#component').innerText(), new RegExp(digest(maskScore).slice(0, 12)));
  await page.locator('#summary').getByText('Made by orders@1.3.0, canary in channel document 7.', { exact: true }).waitFor();
  await tab(page, 'Rows');
  await page.getByText('a***@example.com').first().waitFor();
  await shot(page, 'release');
  await tab(page, 'Spec');
  const editor = page.getByRole('textbox', { name: 'Spec' });
  assert.equal(await editor.inputValue(), maskSpec);
  // The same component as the page's own: no second copy of it is fetched.
  await choose(page, 'orders@1.2.0 · stable');
  assert.equal((await receiptOf(page)).spec, digest(plainSpec));
  assert.ok(!asked.includes('api/releases/orders/1.2.0/component'));
  // Edited: it stays when another release is chosen.
  await tab(page, 'Spec');
  const edited = `${plainSpec}\n# mine\n`;
  // As it was released it is not edited: a copy is.
  await page.getByText('The spec of orders@1.2.0, as it was released.').waitFor();
  assert.ok(await editor.evaluate((element) => element.readOnly));
  await shot(page, 'release-spec');
  await page.getByRole('button', { name: 'Try a copy of it' }).click();
  await editor.fill(edited);
  await page.waitForTimeout(600);
  await page.getByText('The preview follows this spec.').waitFor();
  await choose(page, 'orders@1.3.0 · canary');
  assert.equal((await receiptOf(page)).spec, digest(edited));
  await page.locator('#summary').getByText('Made by the component of orders@1.3.0 with a spec of your own, canary in channel document 7.', { exact: true }).waitFor();
});

on('a release’s spec goes with it', {}, async (page) => {
  await pick(page, 'sample.json', sample);
  await settled(page);
  const before = await receiptOf(page);
  await choose(page, 'orders@1.3.0 · canary');
  assert.equal((await receiptOf(page)).spec, digest(maskSpec));
  await page.getByLabel('Transform', { exact: true }).selectOption('');
  assert.deepEqual(await receiptOf(page), before);
});

on('what is not what the manifest names is not run', {}, async (page) => {
  await page.getByLabel('Transform', { exact: true }).waitFor();
  await choose(page, 'orders@1.4.0');
  const said = await page.getByRole('alert').innerText();
  assert.match(said, new RegExp(`the component of orders@1.4.0 is not what its release names \\(sha256 ${digest(shipped)}, not ${digest(maskScore)}\\): it was not run`));
  await choose(page, 'orders@1.5.0');
  await page.getByText('the spec of orders@1.5.0 is not what its release names').waitFor();
  await page.locator('#component').filter({ hasText: /^lakegate / }).waitFor();
});

/** What `lakegate diff` says of the same releases, published for it. */
function diffOfCommand() {
  return inFolder(async (folder) => {
    await publish(folder, releases.slice(0, 2));
    fs.writeFileSync(path.join(folder, 'sample.json'), sample);
    const { samples } = await run(folder, 'diff', 'orders', '1.2.0', '1.3.0', 'sample.json', ...trusted);
    return samples[0].comparison;
  });
}

on('two releases are compared, as `lakegate diff` does it', {}, async (page) => {
  await pick(page, 'sample.json', sample);
  await settled(page);
  await tab(page, 'Compare');
  await page.getByLabel('Transform of A').selectOption({ label: 'orders@1.2.0 · stable' });
  await page.getByLabel('Transform of B').selectOption({ label: 'orders@1.3.0 · canary' });
  assert.equal(await page.getByLabel('Spec of B').inputValue(), 'release');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.locator('#verdict').waitFor();
  assert.match(await page.locator('#verdict').innerText(), /^orders: 2 columns change, /);
  await page.getByText('extension_rejected').waitFor();
  await page.getByRole('region', { name: 'Columns of orders that differ' }).getByText('+ bigint').waitFor();
  const expected = await diffOfCommand();
  const counts = Object.fromEntries((await cells(page, 'Counts')).map(([what, a, b]) => [what, [Number(a), Number(b)]]));
  assert.deepEqual([counts.records, counts.rejected], [expected.records, expected.rejected]);
  const [table] = expected.tables;
  assert.deepEqual([counts.rows, counts['part files']], [table.rows, table.files]);
  const differ = table.columns.filter(({ types, nulls, checksums }) => types[0] !== types[1] || nulls[0] !== nulls[1] || checksums[0] !== checksums[1]);
  const shown = await cells(page, 'Columns of orders that differ');
  assert.deepEqual(shown.map(([column]) => column).sort(), differ.map(({ column }) => column).sort());
  for (const { column, nulls } of differ) {
    const found = shown.find(([name]) => name === column)[2];
    assert.equal(found, nulls[0] === nulls[1] ? `${nulls[0]}` : nulls.join(' → '), column);
  }
  await accessible(page, 'two releases');
  await page.setViewportSize({ width: 1280, height: 1500 });
  await shot(page, 'release-compare');
});

test('a page that the command serves previews with the release that it runs', { timeout: 180_000 }, () =>
  inFolder(async (folder) => {
    await publish(folder, [...releases.slice(0, 2), { ...releases[0], version: '1.1.0' }]);
    await run(folder, 'promote', 'orders', '1.3.0', ...signed);
    fs.appendFileSync(path.join(folder, 'registry', 'releases', 'orders', '1.1.0.json'), ' ');
    await serving(folder, 'orders', async (address) => {
      const browser = await start({ address });
      const { page, quiet } = await browser.open();
      try {
        // Nobody chose it: it is what the server makes tables with.
        await page.waitForFunction((digest) => document.querySelector('#component').title.includes(digest), digest(maskScore));
        const labels = await page.getByLabel('Transform', { exact: true }).locator('option').allInnerTexts();
        assert.deepEqual(labels.slice(1, 3), ['orders@1.3.0 · stable', 'orders@1.2.0']);
        assert.match(labels[3], /^orders@1\.1\.0 \(refused: /);
        await pick(page, 'sample.json', sample);
        assert.equal((await receiptOf(page)).spec, digest(maskSpec));
        const by = page.getByText('Made by orders@1.3.0, stable in channel document 1.', { exact: true });
        assert.equal(await by.count(), 2, 'above the tabs, and with the receipt');
        await page.getByRole('button', { name: 'Load into the lake' }).click();
        await page.getByText('Production made exactly what you previewed').waitFor();
        await page.locator('.landing').getByText('Made by orders@1.3.0, channel document 1.', { exact: true }).waitFor();
        await shot(page, 'release-served');
        await page.getByRole('button', { name: 'Lake', exact: true }).click();
        await page.getByRole('region', { name: 'Commits' }).getByText('orders@1.3.0, channel document 1', { exact: true }).waitFor();
        await page.getByText('uploads follow orders@1.3.0, channel document 1').waitFor();
        quiet();
      } finally {
        await browser.stop();
      }
    });
  }),
);
