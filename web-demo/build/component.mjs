// The shipped component as the page loads it: its bytes unchanged, and the JavaScript that calls it.
//
// Not for building it (`cargo xtask component`). The one decision to know: the page gets the component itself and
// cuts the core modules out of it, so that it hashes and runs the very bytes that production runs. A transpiler
// that changed as much as one byte of them fails this step.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { transpile } from '@bytecodealliance/jco-transpile';
import { component, made } from './paths.mjs';

if (!fs.existsSync(component)) {
  console.error(`no component at ${component}\n  hint: make it with \`cargo xtask component\`, or set LAKEGATE_COMPONENT`);
  process.exit(1);
}
const bytes = fs.readFileSync(component);
const { files } = await transpile(component, {
  name: 'transform',
  instantiation: 'async',
  nodejsCompat: false,
  base64Cutoff: 0,
});
const modules = {};
fs.mkdirSync(made, { recursive: true });
for (const [name, content] of Object.entries(files)) {
  if (name.endsWith('.wasm')) {
    modules[name] = slice(name, content);
    continue;
  }
  const file = path.join(made, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, name === 'transform.js' ? withoutFetch(Buffer.from(content).toString()) : content);
}
const digest = createHash('sha256').update(bytes).digest('hex');
fs.writeFileSync(path.join(made, 'lakegate.wasm'), bytes);
fs.writeFileSync(path.join(made, 'component.json'), JSON.stringify({ digest, modules }, null, 2));
console.error(`   component ${digest}, ${Object.keys(modules).length} core modules, all of them slices of it`);

/** The glue without its own way to fetch core modules: the bundler would ship all files that it could name. */
function withoutFetch(glue) {
  const fetches = /if \(!getCoreModule\) getCoreModule = .*import\.meta\.url.*;/g;
  if ([...glue.matchAll(fetches)].length !== 1) throw new Error('the transpiler fetches core modules in another way now');
  // The directive means something to jco's own tools only; the bundler warns of it.
  return glue.replace(fetches, '').replace(/^"use components";\n/, '');
}

/** Where `content` stands in the component: a module is preceded by its section's id and length. */
function slice(name, content) {
  let from = 0;
  while (true) {
    const at = bytes.indexOf(content, from);
    if (at < 0) throw new Error(`${name} is no part of the component: the transpiler changed it`);
    if (sectionLength(at) === content.length) return { offset: at, length: content.length };
    from = at + 1;
  }
}

/** The length that the core module section before `at` declares, or -1. */
function sectionLength(at) {
  for (let start = at - 1; start >= Math.max(1, at - 5); start--) {
    if (bytes[start - 1] !== 1) continue;
    let value = 0;
    let shift = 0;
    let index = start;
    do {
      value += (bytes[index] & 0x7f) * 2 ** shift;
      shift += 7;
    } while (bytes[index++] & 0x80 && index < at);
    if (index === at && !(bytes[at - 1] & 0x80)) return value;
  }
  return -1;
}
