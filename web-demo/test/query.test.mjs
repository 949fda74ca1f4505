// SQL over the preview, as a person asks it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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
  await page.getByText(/^DuckDB v[1-9]\d*\.\d+\.\d+ is ready/).waitFor({ timeout: 60_000 });
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
    rows: [...result.querySelectorAll('tbody tr')].map((row) => [...row.cells].filter((cell) => !cell.classList.contains('index')).map((cell) => (cell.classList.contains('null') ? null : cell.classList.contains('blank') ? '' : cell.textContent))),
  }));
}

/** Types and rows of a Parquet file, as an independent reader has them. */
function readBack({ bytes }) {
  const python = process.env.LAKEGATE_PYTHON;
  if (!python) throw new Error('LAKEGATE_PYTHON is not set\n  hint: LAKEGATE_PYTHON=$(cargo xtask setup)');
  const read = `
import io, json, os, sys, pyarrow.parquet
table = pyarrow.parquet.read_table(io.BytesIO(sys.stdin.buffer.read()))
rows = [[None if value is None else str(value) for value in row.values()] for row in table.to_pylist()]
print(json.dumps([[f"{field.name} {field.type}" for field in table.schema], rows]), flush=True)
os._exit(0)  # its threads now and then abort an interpreter that ends as usual`;
  return JSON.parse(execFileSync(python, ['-c', read], { input: bytes, maxBuffer: 1 << 28 }).toString());
}

/** What the engine says of a query that it refuses. */
async function refusal(page, sql) {
  await page.getByRole('textbox', { name: 'SQL' }).fill(sql);
  await page.keyboard.press('Control+Enter');
  await page.getByText('Running …').waitFor({ state: 'detached' });
  return page.getByRole('alert').innerText();
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
  await ask(page, 'SELECT *, j || big AS both FROM t ORDER BY big DESC');
  const [types, values] = readBack(await downloaded(page, () => page.getByRole('button', { name: 'Save as Parquet' }).click()));
  assert.deepEqual(types, [
    'b bool', 'big int64', 'd double', 'amount decimal128(20, 2)', 's string', 'dt date32[day]', 'ts timestamp[us]', 'j string',
    'city string', 'day date32[day]', 'n int64', 'flag bool', 'both string',
  ]);
  assert.deepEqual(values, [
    ['True', '9007199254740993', '0.1', '123456789012345678.09', 'é "q"', '2025-01-03', '1969-12-31 23:59:59.789000', '[{"a":1}]', "a/b=c %41'", '2025-02-28', '9007199254740993', 'True', '[{"a":1}]9007199254740993'],
    [null, '-9223372036854775808', null, '-0.05', '', null, null, null, null, null, null, null, null],
  ]);
  const csv = await downloaded(page, () => page.getByRole('button', { name: 'Save as CSV' }).click());
  assert.match(csv.bytes.toString(), /^true,9007199254740993,0\.1,123456789012345678\.09,"é ""q""",2025-01-03,1969-12-31 23:59:59\.789,/m);
});

on('values of any type are shown as the engine writes them', {}, async (page) => {
  await pick(page, 'a.csv', 'x\n1\n');
  await settled(page);
  await open(page);
  const shown = [
    ['[1, NULL, 3]', 'integer[]', '[1, NULL, 3]'],
    ["{'a': 'x', 'b': 2.50}", 'struct(a varchar, b decimal(3,2))', "{'a': x, 'b': 2.50}"],
    ["MAP {'k': [1]}", 'map(varchar, integer[])', '{k=[1]}'],
    ["'b'::ENUM('a', 'b')", 'enum', 'b'],
    ["TIMESTAMP '2025-01-03 04:05:06.000001'", 'timestamp', '2025-01-03 04:05:06.000001'],
    ["TIMESTAMP_NS '2025-01-03 04:05:06.000000001'", 'timestamp_ns', '2025-01-03 04:05:06.000000001'],
    ["TIMESTAMPTZ '2025-01-03 04:05:06+00'", 'timestamp with time zone', '2025-01-03 04:05:06+00'],
    ["TIME '01:02:03'", 'time', '01:02:03'],
    ["INTERVAL '14 months 2 days 3.5 seconds'", 'interval', '1 year 2 months 2 days 00:00:03.5'],
    ["DATE '5000-12-31'", 'date', '5000-12-31'],
    ["DATE '0044-03-15 (BC)'", 'date', '0044-03-15 (BC)'],
    ["DATE 'infinity'", 'date', 'infinity'],
    ['170141183460469231731687303715884105727', 'hugeint', '170141183460469231731687303715884105727'],
    ['18446744073709551615::UBIGINT', 'ubigint', '18446744073709551615'],
    ['340282366920938463463374607431768211455::UHUGEINT', 'uhugeint', '340282366920938463463374607431768211455'],
    ['0.1::FLOAT', 'float', '0.1'],
    ['-12345678901234567890123456789012345.678::DECIMAL(38,3)', 'decimal(38,3)', '-12345678901234567890123456789012345.678'],
    ["'\\x00\\xFF'::BLOB", 'blob', '\\x00\\xff'],
    ["'9b0262b9-5ed2-4b5e-92d5-97ad7e85e1e6'::UUID", 'varchar', '9b0262b9-5ed2-4b5e-92d5-97ad7e85e1e6'],
    ['current_date = today() AND today() > DATE \'2026-01-01\'', 'boolean', 'true'],
  ];
  const sql = `SELECT ${shown.map(([value], index) => `${value} AS c${index}`).join(', ')}`;
  const { head, rows } = await ask(page, sql);
  assert.deepEqual(head, shown.map(([, type], index) => `c${index} ${type}`));
  assert.deepEqual(rows, [shown.map(([, , value]) => value)]);
  // Python has no dates before Christ.
  await ask(page, `SELECT * REPLACE (NULL AS c10, NULL AS c11) FROM (${sql})`);
  const parquet = await downloaded(page, () => page.getByRole('button', { name: 'Save as Parquet' }).click());
  await page.getByText('As text, since no flat column holds its values: c0, c1, c2, c3, c8, c14.').waitFor();
  const [types, [values]] = readBack(parquet);
  assert.deepEqual([types[0], types[5], types[6], types[13], types[15]], ['c0 string', 'c5 timestamp[ns]', 'c6 timestamp[us, tz=UTC]', 'c13 uint64', 'c15 float']);
  const exact = [0, 1, 2, 3, 7, 9, 12, 13, 14, 16, 18];
  assert.deepEqual(exact.map((index) => values[index]), exact.map((index) => shown[index][2]));
});

on('what is not in the page is refused in its own words, and nothing is asked for', {}, async (page) => {
  await pick(page, 'a.ndjson', '{"x": 1, "j": [1]}\n');
  await settled(page);
  await open(page);
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  for (const [sql, said] of [
    ["SELECT json_extract('[1]', '$[0]') FROM a", /json_extract.* is of the json extension, which this page does not load/],
    ["SELECT * FROM read_parquet('x')", /read_parquet.* is of the parquet extension, which this page does not load/],
    ['SELECT extract(year FROM now())', /this needs the icu extension, which this page does not load/],
    ['LOAD spatial', /of an extension, which this page does not load/],
    ["SELECT * FROM 'other.csv'", /SQL here reads the tables of the preview, and nothing else/],
    ["COPY a TO 'a.csv'", /SQL here reads the tables of the preview, and nothing else/],
    ['SET autoload_known_extensions = true', /locked/],
    ["SET custom_extension_repository = 'http://127.0.0.1:9'", /locked/],
  ]) {
    const words = await refusal(page, sql);
    assert.match(words, said);
    assert.doesNotMatch(words, /install/i);
  }
  assert.deepEqual(requests, []);
});

on('a table of many pieces is taken whole, and a preview that goes meanwhile leaves nothing behind', {}, async (page) => {
  const rows = 150_000;
  const many = Array.from({ length: rows }, (_, n) => `${n},${n % 7 === 0 ? '' : `word ${n % 1000}`},d${n % 3}`);
  const spec = ['partition_by = ["p"]', ...['n:bigint', 'w:string', 'p:string'].map((column) => `[[table.column]]\nname = "${column.split(':')[0]}"\ntype = "${column.split(':')[1]}"`)];
  await page.locator('#pick').setInputFiles([
    { name: 'many.csv', mimeType: 'text/csv', buffer: Buffer.from(`n,w,p\n${many.join('\n')}\n`) },
    { name: 'transform.toml', mimeType: 'application/toml', buffer: Buffer.from(`[[table]]\nname = "many"\n${spec.join('\n')}\n`) },
  ]);
  await settled(page);
  await open(page);
  const { rows: found } = await ask(page, "SELECT count(*), sum(n), count(w), count(DISTINCT w), min(p) || max(p), count(*) FILTER (WHERE w = 'word 999') FROM many");
  const words = Array.from({ length: rows }, (_, n) => n).filter((n) => n % 7 !== 0);
  assert.deepEqual(found, [[String(rows), String((rows * (rows - 1)) / 2), String(words.length), '1000', 'd0d2', String(words.filter((n) => n % 1000 === 999).length)]]);
  await page.getByRole('textbox', { name: 'SQL' }).fill('SELECT * FROM many ORDER BY n');
  await page.keyboard.press('Control+Enter');
  await page.getByText('More than 100,000 rows, the first of them are shown').waitFor();
  const [, saved] = readBack(await downloaded(page, () => page.getByRole('button', { name: 'Save as Parquet' }).click()));
  assert.equal(saved.length, rows);
  assert.deepEqual([saved[0], saved[140_001], saved[rows - 2]], [['0', null, 'd0'], ['140001', 'word 1', 'd0'], ['149998', 'word 998', 'd1']]);
  await pick(page, 'more.csv', `n,w,p\n${many.join('\n')}\n`);
  await settled(page);
  for (const name of ['many.csv', 'more.csv']) await page.getByRole('button', { name: `Remove ${name}` }).click();
  const dialog = page.getByRole('button', { name: 'Remove', exact: true });
  if (await dialog.isVisible()) await dialog.click();
  await pick(page, 'a.csv', 'x\n1\n');
  await settled(page);
  await open(page);
  assert.deepEqual((await ask(page, 'SELECT x FROM a')).rows, [['1']]);
  assert.deepEqual((await ask(page, "SELECT count(*) FROM duckdb_tables()")).rows, [['1']], 'what is no preview any more is no table either');
});

on('a preview that goes while the engine looks at its questions holds nothing up', {}, async (page) => {
  await pick(page, 'first.csv', 'x\n1\n');
  await settled(page);
  await open(page);
  // Answers of the engine to `prepare` come late, as on a busy machine: the preview is gone before them.
  await page.evaluate(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...more) {
      if (message?.type !== 'CREATE_PREPARED') return post.call(this, message, ...more);
      return void setTimeout(() => post.call(this, message, ...more), 300);
    };
  });
  await pick(page, 'second.csv', 'y\n1\n');
  await settled(page);
  for (const name of ['first.csv', 'second.csv']) await page.getByRole('button', { name: `Remove ${name}` }).click();
  await pick(page, 'third.csv', 'z\n3\n');
  await settled(page);
  await open(page);
  assert.deepEqual((await ask(page, 'SELECT z FROM third')).rows, [['3']]);
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
  on(`axe finds nothing in Query: ${name}`, options, async (page) => {
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
