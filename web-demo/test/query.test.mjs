// SQL over the preview, as a person asks it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { root } from '../build/paths.mjs';
import { pick, settled, shot, tab } from './browser.mjs';
import { accessible, downloaded, LOOKS, pages } from './steps.mjs';

const on = pages();
const examples = path.join(root, 'tests', 'examples');

/** Opens the tab and waits for the engine. */
async function open(page) {
  await tab(page, 'Query');
  await page.getByText(/^DuckDB v[\d.]+ is ready/).waitFor({ timeout: 60_000 });
}

/** Asks and answers with the head and the rows; null is null. */
async function ask(page, sql) {
  await page.getByRole('textbox', { name: 'SQL' }).fill(sql);
  await page.keyboard.press('Control+Enter');
  return answer(page);
}

async function answer(page) {
  const said = page.locator('#query-said', { hasText: /rows? · / });
  await said.or(page.locator('.result .problem')).waitFor();
  assert.equal(await page.locator('.result .problem').allInnerTexts().then((texts) => texts.join()), '');
  return page.locator('.result').evaluate((result) => ({
    head: [...result.querySelectorAll('th')].slice(1).map((cell) => [...cell.querySelectorAll('.name, .type')].map((part) => part.textContent).join(' ')),
    rows: [...result.querySelectorAll('tbody tr')].map((row) => [...row.cells].filter((cell) => !cell.classList.contains('index')).map((cell) => (cell.classList.contains('null') ? null : cell.querySelector('.blank') ? '' : cell.textContent))),
  }));
}

/** To the cent, and as a double is written. */
function double(value) {
  const rounded = Number(value.toFixed(2));
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

/** Daily revenue of the sales example, added up here from the raw file. */
function revenue() {
  const file = path.join(examples, 'sales', 'sales', 'orders', 'ingest_date=2025-01-06', 'sales_orders.csv');
  const days = new Map();
  for (const line of fs.readFileSync(file, 'utf8').trim().split('\n').slice(1)) {
    const [, , , quantity, price, day] = line.split(',');
    if (!/^\d+$/.test(quantity) || !/^\d{4}-\d\d-\d\d$/.test(day)) continue;
    const { total, lines } = days.get(day) ?? { total: 0, lines: 0 };
    days.set(day, { total: total + quantity * price, lines: lines + 1 });
  }
  return [...days].sort().map(([day, { total, lines }]) => [day, double(total), String(lines)]);
}

on('the engine comes with the tab, and answers the sales questions', {}, async (page, { address }) => {
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.getByRole('button', { name: /^Sales/ }).click();
  await settled(page);
  for (const name of ['Schema', 'Files', 'Rejects', 'Spec', 'Take away', 'Rows']) await tab(page, name);
  assert.deepEqual(requests.filter((url) => /duckdb|engine/.test(url)), []);
  const started = Date.now();
  await tab(page, 'Query');
  await page.getByRole('progressbar', { name: 'Loading the SQL engine' }).or(page.getByText(/is ready/)).first().waitFor();
  await page.getByText(/is ready/).waitFor();
  console.log(`engine ready after ${Date.now() - started} ms`);
  assert.ok(requests.some((url) => /duckdb-eh.*\.wasm$/.test(url)));
  assert.deepEqual(requests.filter((url) => !url.startsWith(address) && !url.startsWith('blob:')), []);
  const questions = page.getByRole('group', { name: 'Questions to ask' }).getByRole('button');
  assert.deepEqual(await questions.allInnerTexts(), ['Daily revenue', 'Top selling products', 'One day: only its partition is read']);
  await questions.nth(0).click();
  const daily = await answer(page);
  assert.deepEqual(daily.head, ['order_date date', 'revenue double', 'lines bigint']);
  assert.deepEqual(daily.rows, revenue());
  await shot(page, 'query');
  const one = await ask(page, "SELECT count(*) AS lines FROM sales WHERE order_date = DATE '2025-01-03' AND order_date < current_date");
  assert.deepEqual(one.rows, [[revenue()[0][2]]]);
});

on('the orders questions stand where their columns are', {}, async (page) => {
  await page.locator('#pick').setInputFiles([path.join(examples, 'orders', 'orders_ETL.json'), path.join(examples, 'orders', 'transform.toml')]);
  await settled(page);
  await open(page);
  const questions = page.getByRole('group', { name: 'Questions to ask' }).getByRole('button');
  assert.deepEqual(await questions.allInnerTexts(), ['Revenue by category', 'Orders without a product or without a customer: still there']);
  await questions.nth(0).click();
  const { rows } = await answer(page);
  const orders = JSON.parse(fs.readFileSync(path.join(examples, 'orders', 'orders_ETL.json'), 'utf8'));
  const categories = new Map();
  for (const { category, price, quantity } of orders.flatMap(({ products }) => products ?? [])) {
    if (category != null) categories.set(category, (categories.get(category) ?? 0) + price * quantity);
  }
  const expected = [...categories].sort(([, a], [, b]) => b - a).map(([category, total]) => [category, double(total)]);
  assert.deepEqual(rows.map(([category, , total]) => [category, total]), expected);
});

const TYPES = `[[table]]
name = "t"
partition_by = ["city", "day", "n", "flag"]
${['b:boolean', 'big:bigint', 'd:double', 'amount:decimal(20,2)', 's:string', 'dt:date', 'ts:timestamp', 'j:json', 'city:string', 'day:date', 'n:bigint', 'flag:boolean']
  .map((column) => `[[table.column]]\nname = "${column.split(':')[0]}"\ntype = "${column.split(':')[1]}"\n`)
  .join('')}`;

on('every type is read exactly, and so is what stands in the path', {}, async (page) => {
  const lines = [
    '{"b":true,"big":9007199254740993,"d":0.1,"amount":"123456789012345678.09","s":"é \\"q\\"","dt":"2025-01-03","ts":"1969-12-31T23:59:59.789Z","j":[{"a":1}],"city":"a/b=c %41\'","day":"2025-02-28","n":9007199254740993,"flag":true}',
    '{"b":null,"big":-9223372036854775808,"d":null,"amount":"-0.05","s":"","dt":null,"ts":null,"j":null,"city":null,"day":null,"n":null,"flag":null}',
  ];
  await page.locator('#pick').setInputFiles([
    { name: 'types.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(lines.join('\n')) },
    { name: 'transform.toml', mimeType: 'application/toml', buffer: Buffer.from(TYPES) },
  ]);
  await settled(page);
  await open(page);
  const { head, rows } = await ask(page, 'SELECT * FROM t ORDER BY big DESC');
  assert.deepEqual(head, [
    'b boolean', 'big bigint', 'd double', 'amount decimal(20,2)', 's varchar', 'dt date', 'ts timestamp', 'j varchar',
    'city varchar', 'day date', 'n bigint', 'flag boolean',
  ]);
  assert.deepEqual(rows, [
    ['true', '9007199254740993', '0.1', '123456789012345678.09', 'é "q"', '2025-01-03', '1969-12-31 23:59:59.789', '[{"a":1}]', "a/b=c %41'", '2025-02-28', '9007199254740993', 'true'],
    [null, '-9223372036854775808', null, '-0.05', '', null, null, null, null, null, null, null],
  ]);
  const keyed = await ask(page, "SELECT big + 1, sum(amount) OVER () FROM t WHERE flag AND day = DATE '2025-02-28' AND n = 9007199254740993 AND city LIKE 'a/b=%'");
  assert.deepEqual(keyed.rows, [['9007199254740994', '123456789012345678.09']]);
  assert.deepEqual((await ask(page, 'SELECT count(*) FROM t WHERE city IS NULL AND n IS NULL')).rows, [['1']]);
  const other = await ask(page, "SELECT [1, NULL, 3] AS list, {'a': 'x', 'b': 2.50} AS pair, TIMESTAMP '2025-01-03 04:05:06.000001' AS micros, TIME '01:02:03' AS time, 170141183460469231731687303715884105727 AS huge");
  assert.deepEqual(other.rows, [['[1, NULL, 3]', "{'a': x, 'b': 2.50}", '2025-01-03 04:05:06.000001', '01:02:03', '170141183460469231731687303715884105727']]);
});

on('wrong SQL shows the engine’s words at the line', {}, async (page) => {
  await pick(page, 'a.csv', 'id,total\n1,2.5\n2,3.5\n');
  await settled(page);
  await open(page);
  await page.getByRole('textbox', { name: 'SQL' }).fill('SELECT *\nFORM a');
  await page.getByRole('button', { name: 'Run' }).click();
  assert.match(await page.getByRole('alert').innerText(), /Parser Error: syntax error at or near "a"[^]*LINE 2: FORM a/);
  assert.equal(await page.locator('.lines .faulty').innerText(), '2\n');
  await shot(page, 'query-wrong');
  assert.deepEqual((await ask(page, 'SELECT sum(total) AS total\nFROM a;\n')).rows, [['6.0']]);
  assert.equal(await page.locator('.lines .faulty').count(), 0);
  const offered = await page.getByRole('group', { name: 'Questions to ask' }).getByRole('button').allInnerTexts();
  assert.deepEqual(offered, ['First rows of a', 'Count of a']);
});

on('results of any length scroll, are cut, cancelled, and taken away', {}, async (page) => {
  await pick(page, 'n.ndjson', Array.from({ length: 3000 }, (_, n) => JSON.stringify({ n, kind: `kind ${n % 3}`, amount: n / 2 })).join('\n'));
  await settled(page);
  await open(page);
  await page.getByRole('button', { name: 'amount by kind' }).click();
  assert.deepEqual((await answer(page)).rows.map(([, , count]) => count), ['1000', '1000', '1000']);
  await ask(page, 'SELECT n, kind FROM n ORDER BY n DESC');
  await page.locator('.scroller').evaluate((element) => (element.scrollTop = element.scrollHeight));
  await page.locator('.result').getByText('kind 0', { exact: true }).last().waitFor();
  assert.ok((await page.locator('.rows tbody tr').count()) < 80, 'only rows in sight are elements');
  const csv = await downloaded(page, () => page.getByRole('button', { name: 'Save as CSV' }).click());
  assert.equal(csv.name, 'result.csv');
  assert.equal(csv.bytes.toString().split('\n').slice(0, 3).join('|'), 'n,kind|2999,kind 2|2998,kind 1');
  assert.equal(csv.bytes.toString().trim().split('\n').length, 3001);
  const parquet = await downloaded(page, () => page.getByRole('button', { name: 'Save as Parquet' }).click());
  assert.equal(parquet.bytes.subarray(0, 4).toString('latin1') + parquet.bytes.subarray(-4).toString('latin1'), 'PAR1PAR1');
  await page.getByRole('textbox', { name: 'SQL' }).fill('SELECT a.n FROM n a, n b');
  await page.keyboard.press('Control+Enter');
  await page.getByText('More than 100,000 rows, the first of them are shown').waitFor();
  await page.getByRole('textbox', { name: 'SQL' }).fill('SELECT count(*) FROM range(3000000000) a, range(3000000000) b');
  await page.keyboard.press('Control+Enter');
  await page.getByText('Running …').waitFor();
  await shot(page, 'query-running');
  await page.getByRole('button', { name: 'Cancel query' }).click();
  await page.getByText('Cancelled.').waitFor();
  assert.deepEqual((await ask(page, 'SELECT count(*) FROM n')).rows, [['3000']]);
});

on('a new preview is asked, a removed one is gone, the current file’s table wins', {}, async (page) => {
  await pick(page, 'a.csv', 'x\n1\n');
  await settled(page);
  await open(page);
  assert.deepEqual((await ask(page, 'SELECT x FROM a')).rows, [['1']]);
  await pick(page, 'b.csv', 'y\n2\n');
  await page.getByText(/is ready/).waitFor();
  assert.deepEqual((await ask(page, 'SELECT x, y FROM a, b')).rows, [['1', '2']]);
  await pick(page, 'a.ndjson', '{"x": 7}\n');
  await page.getByText(/is ready/).waitFor();
  assert.deepEqual((await ask(page, 'SELECT x FROM a')).rows, [['7']]);
  assert.deepEqual((await ask(page, 'SELECT x FROM a_2')).rows, [['1']], 'another file of the name has a number');
  await page.getByRole('button', { name: 'a.csv', exact: true }).click();
  await page.getByText(/is ready/).waitFor();
  assert.deepEqual((await ask(page, 'SELECT x FROM a')).rows, [['1']]);
  await tab(page, 'Rows');
  await tab(page, 'Query');
  assert.equal(await page.getByRole('textbox', { name: 'SQL' }).inputValue(), 'SELECT x FROM a');
  for (const name of ['a.csv', 'b.csv', 'a.ndjson']) await page.getByRole('button', { name: `Remove ${name}` }).click();
  await page.getByRole('heading', { name: 'See the Parquet' }).waitFor();
  for (let look = 0; look < 50 && page.workers().length > 1; look++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(page.workers().length, 1, 'the engine ended, the transform’s worker stays');
});

on('an engine that cannot start says so, and can be tried again', {}, async (page) => {
  await page.route('**/assets/duckdb-eh-*.wasm', (route) => route.fulfill({ status: 200, body: 'no module' }));
  await pick(page, 'a.csv', 'x\n1\n');
  await settled(page);
  await tab(page, 'Query');
  await page.getByRole('alert').getByText(/^The SQL engine could not start: /).waitFor();
  await shot(page, 'query-broken');
  await page.unroute('**/assets/duckdb-eh-*.wasm');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText(/is ready/).waitFor();
  assert.deepEqual((await ask(page, 'SELECT x FROM a')).rows, [['1']]);
});

on('keyboard only', {}, async (page) => {
  await pick(page, 'a.csv', 'x\n1\n');
  await settled(page);
  await page.getByRole('tab', { name: /^Rows/ }).focus();
  for (let step = 0; step < 5; step++) await page.keyboard.press('ArrowRight');
  assert.match(await page.getByRole('tab', { selected: true }).innerText(), /^Query/);
  await page.getByText(/is ready/).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.deepEqual((await answer(page)).rows, [['1']]);
  await page.getByRole('textbox', { name: 'SQL' }).focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('SELECT 6 * 7 AS n');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.locator('th', { hasText: 'n' }).getByText('integer').waitFor();
  assert.deepEqual((await answer(page)).rows, [['42']]);
});

on('SQL reaches no other address, on a server that sends no policy either', {}, async (page, { address }) => {
  let calls = 0;
  const foreign = http.createServer((_, response) => (calls++, response.writeHead(200, { 'access-control-allow-origin': '*' }).end('x\n1\n')));
  foreign.on('connection', () => calls++);
  await new Promise((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  const bare = await page.context().newPage();
  try {
    await bare.route('**/*', async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      delete headers['content-security-policy'];
      await route.fulfill({ response, headers });
    });
    await bare.goto(address);
    await pick(bare, 'a.csv', 'x\n1\n');
    await settled(bare);
    await open(bare);
    for (const scheme of ['http', 'https']) {
      await bare.getByRole('textbox', { name: 'SQL' }).fill(`SELECT * FROM read_csv_auto('${scheme}://127.0.0.1:${foreign.address().port}/x.csv') -- ${scheme}`);
      await bare.keyboard.press('Control+Enter');
      await bare.getByRole('alert').waitFor();
    }
    assert.equal(calls, 0);
  } finally {
    await bare.close();
    foreign.close();
  }
});

for (const [name, options] of LOOKS) {
  on(`axe finds nothing serious in Query: ${name}`, options, async (page) => {
    await page.getByRole('button', { name: /^Sales/ }).click();
    await settled(page);
    await open(page);
    await accessible(page, `${name} ready`);
    await page.getByRole('button', { name: 'Top selling products' }).click();
    await answer(page);
    await accessible(page, `${name} answered`);
    await shot(page, `${name}-query`);
    await page.getByText('Tables and columns').click();
    await accessible(page, `${name} tables`);
    await shot(page, `${name}-query-tables`);
    await page.getByRole('textbox', { name: 'SQL' }).fill('SELECT nothing FROM sales');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('alert').waitFor();
    await accessible(page, `${name} wrong`);
    await shot(page, `${name}-query-wrong`);
  });
}
