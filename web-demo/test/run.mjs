// Runs every test and closes with one line of counts, for `cargo xtask test`.

import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { web } from '../build/paths.mjs';

const folder = path.join(web, 'test');
const files = fs.readdirSync(folder).filter((name) => name.endsWith('.test.mjs')).map((name) => path.join(folder, name));
const counts = { passed: 0, failed: 0, skipped: 0 };
// One browser at a time: the small machines that this runs on have two cores.
const tests = run({ files, concurrency: 1 });
tests.on('test:pass', ({ details, skip, todo }) => {
  if (details.type !== 'suite') counts[skip || todo ? 'skipped' : 'passed'] += 1;
});
tests.on('test:fail', ({ details }) => (counts.failed += details.type === 'suite' ? 0 : 1));
tests.on('end', () => {
  console.log(`page result: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
});
tests.compose(new spec()).pipe(process.stdout);
