// The page's Parquet reader: compiled, made smaller, with its JavaScript glue.
//
// The one decision to know: glue and macros come from one version of wasm-bindgen, the lock file's, because the
// glue is made by a program of this workspace and not by a tool that somebody installed.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { made, root, target, web } from './paths.mjs';

const wasm = 'wasm32-unknown-unknown';
const environment = { ...process.env, CARGO_TARGET_DIR: target };
const run = (program, ...arguments_) =>
  execFileSync(program, arguments_, { cwd: root, env: environment, stdio: ['ignore', 'inherit', 'inherit'] });

run('cargo', 'build', '--quiet', '--locked', '--package', 'lakegate-inspect', '--lib', '--target', wasm, '--profile', 'page');
fs.mkdirSync(made, { recursive: true });
const compiled = path.join(target, wasm, 'page', 'lakegate_inspect.wasm');
const renamed = path.join(made, 'inspect.wasm');
fs.copyFileSync(compiled, renamed);
run('cargo', 'run', '--quiet', '--locked', '--package', 'lakegate-glue', '--', renamed, made);
fs.rmSync(renamed);
const glued = path.join(made, 'inspect_bg.wasm');
const features = ['--enable-bulk-memory', '--enable-sign-ext', '--enable-mutable-globals', '--enable-nontrapping-float-to-int', '--enable-reference-types', '--enable-multivalue'];
run(process.execPath, path.join(web, 'node_modules', 'binaryen', 'bin', 'wasm-opt'), ...features, '-O2', glued, '-o', glued);
console.error(`   inspect ${Math.round(fs.statSync(glued).size / 1024)} KiB`);
