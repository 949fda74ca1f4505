// Looks a component over and makes the JavaScript that calls it: a worker of its own, for as long as that takes.
//
// Not for running it (`worker.ts`, in a worker made from what this one answers). Decisions to know: the transpiler is
// fetched only once a component may run; and each core module that it emits must be, byte for byte, one of the
// component's own, so that what was hashed is what runs.

import initInspect from '../../dist/made/inspect.js';
import inspectUrl from '../../dist/made/inspect_bg.wasm?url';
import type { Problem } from '../protocol';
import { invalid, outline, refusal, type Slice } from './component';
import { sha256 } from './digest';

export interface Vetting {
  /** For messages. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Hash it; also look it over; also transpile it. */
  want: 'digest' | 'check' | 'transpile';
  /** The digest that the bytes must have, or the empty text. */
  expected: string;
}

export type Vetted =
  | { type: 'vetted'; digest: string; glue: string; modules: Record<string, Slice> }
  | { type: 'refused'; digest: string; problem: Problem };

const ready = initInspect({ module_or_path: inspectUrl });

self.onmessage = async ({ data }: MessageEvent<Vetting>): Promise<void> => {
  let digest = '';
  try {
    await ready;
    digest = sha256(data.bytes);
    const problem = altered(data, digest) ?? (data.want === 'digest' ? null : refusal(data.name, data.bytes));
    if (problem) return answer({ type: 'refused', digest, problem });
    const made = data.want === 'transpile' ? await transpile(data) : { glue: '', modules: {} };
    answer({ type: 'vetted', digest, ...made });
  } catch (thrown) {
    const reason = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0] ?? '';
    answer({ type: 'refused', digest, problem: invalid(data.name, reason) });
  }
};

function answer(message: Vetted): void {
  self.postMessage(message);
}

function altered({ name, expected }: Vetting, digest: string): Problem | null {
  if (expected === '' || expected === digest) return null;
  const message = `${name} is not what its release names (sha256 ${digest}, not ${expected}): it was not run`;
  return { fault: 'transform', code: 'release_altered', message, place: {} };
}

/** The options are those of `build/component.mjs`: the same component gets the same glue. */
async function transpile({ bytes }: Vetting): Promise<{ glue: string; modules: Record<string, Slice> }> {
  const { $init, generate } = await import('@bytecodealliance/jco-transpile/component');
  await $init;
  const { files, imports } = generate(bytes, {
    name: 'transform',
    instantiation: { tag: 'async' },
    map: [],
    noTypescript: true,
    noNodejsCompat: true,
    noComponentErrorWrapping: true,
    base64Cutoff: 0,
  });
  if (imports.length > 0) throw new Error(`it imports ${imports.join(', ')}`);
  const own = outline(bytes).modules;
  const modules: Record<string, Slice> = {};
  let glue = '';
  for (const [name, content] of files) {
    if (name.endsWith('.js')) glue += withoutFetch(new TextDecoder().decode(content));
    if (!name.endsWith('.wasm')) continue;
    const slice = own.find(({ offset, length }) => length === content.length && equal(content, bytes.subarray(offset, offset + length)));
    if (!slice) throw new Error(`${name} is no part of the component: the transpiler changed it`);
    modules[name] = slice;
  }
  return { glue, modules };
}

/** The glue without its own way to fetch core modules: it is given them. */
function withoutFetch(glue: string): string {
  const fetches = /if \(!getCoreModule\) getCoreModule = .*import\.meta\.url.*;/g;
  if ([...glue.matchAll(fetches)].length !== 1) throw new Error('the transpiler fetches core modules in another way now');
  return glue.replace(fetches, '');
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}
