// The component in the browser: fetched once, compiled once, a fresh instance for every pass.
//
// Not for what a job is asked (`make.ts`). The one decision to know: core modules are cut out of the component's own
// bytes, so that what is hashed is what runs; and an instance never serves twice, so that neither a trap nor a
// cancelled job can leave anything behind.

import built from '../../dist/made/component.json';
import componentUrl from '../../dist/made/lakegate.wasm?url';
import { instantiate, type Root } from '../../dist/made/transform.js';
import type { Component, Problem } from '../protocol';
import type { Slice } from './component';
import { sha256 } from './digest';

export type Guest = Root['transform'];
/** Which record each row came from; a component need not export it. */
export type Trace = Root['trace'];
export type Job = ReturnType<Guest['Job']['open']>;
export type Options = Parameters<Guest['Job']['open']>[0];
export type Step = ReturnType<Job['step']>;

/** Memory of one instance: the net that the other hosts have too, and far below what the glue can address. */
const MEMORY_BYTES = 768 << 20;

/** The JavaScript that calls a component: made at build for the shipped one, in the page for others. */
export type Glue = typeof instantiate;

/** A component that the page was not built with, as the worker that owns it gets it. */
export interface Given {
  bytes: Uint8Array<ArrayBuffer>;
  digest: string;
  modules: Record<string, Slice>;
}

export interface Instance {
  guest: Guest;
  trace: Trace | null;
  /** Bytes that its memories have grown to. */
  memory: () => number;
}

export class Transform {
  private constructor(
    private readonly glue: Glue,
    private readonly modules: Map<string, WebAssembly.Module>,
    readonly component: Component,
  ) {}

  /** Fetches and compiles the shipped component; fails unless it is the one that the page was built with. */
  static async load(): Promise<Transform> {
    const response = await fetch(componentUrl);
    if (!response.ok) throw new Error(`the component could not be fetched (HTTP ${response.status})`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { digest, modules } = built as Omit<Given, 'bytes'>;
    return Transform.of({ bytes, digest, modules }, instantiate, 'the component is not the one that this page was built with');
  }

  /** Compiles a component; fails with `otherwise` unless its bytes are what the digest says. */
  static async of(given: Given, glue: Glue, otherwise = 'the component is not the one that was checked'): Promise<Transform> {
    const { bytes, digest } = given;
    if (sha256(bytes) !== digest) throw new Error(otherwise);
    const compiled = Object.entries(given.modules).map(async ([name, { offset, length }]) => {
      const module = await WebAssembly.compile(bytes.subarray(offset, offset + length));
      return [name, module] as const;
    });
    const modules = new Map(await Promise.all(compiled));
    const transform = new Transform(glue, modules, { name: '', version: '', digest, bytes: bytes.length });
    const { guest } = await transform.instance();
    const { name, version } = described(guest);
    return new Transform(glue, modules, { ...transform.component, name, version });
  }

  /** A fresh instance. */
  async instance(): Promise<Instance> {
    const memories: WebAssembly.Memory[] = [];
    const root = await this.glue(
      (name: string) => {
        const module = this.modules.get(name);
        if (!module) throw new Error(`the component has no core module ${name}`);
        return module;
      },
      {},
      async (module, imports) => {
        const instance = await WebAssembly.instantiate(module, imports as WebAssembly.Imports);
        for (const one of Object.values(instance.exports)) if (one instanceof WebAssembly.Memory) memories.push(one);
        return instance;
      },
    );
    const memory = (): number => memories.reduce((sum, one) => sum + one.buffer.byteLength, 0);
    return { guest: root.transform, trace: (root as Partial<Root>).trace ?? null, memory };
  }
}

/** What the component says of itself; fails where a part of the interface is missing. */
function described(guest: Guest | undefined): ReturnType<Guest['describe']> {
  const has = { describe: guest?.describe, job: guest?.Job?.open, ...Object.fromEntries(['push', 'end', 'step'].map((name) => [name, guest?.Job?.prototype[name as 'end']])) };
  const missing = Object.entries(has).find(([, one]) => typeof one !== 'function')?.[0];
  if (missing !== undefined || !guest) throw new Error(`its interface does not have \`${missing}\``);
  return guest.describe();
}

/** Ends the job if its instance has outgrown its memory. */
export function checkMemory(bytes: number): void {
  if (bytes > MEMORY_BYTES) {
    throw new Trouble({
      fault: 'transform',
      code: 'transform_limit',
      message: 'the transform passed its limit on memory (768 MiB)',
      hint: 'nothing of this source object was written',
      place: {},
    });
  }
}

/** A problem on its way to the page. */
export class Trouble extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

/** What was thrown, in the command line's words: a failure that the guest returned, or a trap. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Trouble) return thrown.problem;
  // The glue throws what `result` holds, wrapped in an error or, in later versions, as it is.
  for (const failure of [thrown, (thrown as { payload?: unknown } | null)?.payload]) {
    if (typeof failure === 'object' && failure !== null && 'fault' in failure) return returned(failure as GuestFailure);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError) {
    return {
      fault: 'transform',
      code: 'transform_crashed',
      message: `the transform crashed: ${message}`,
      hint: 'its instance was thrown away; the file may be tried again',
      place: {},
    };
  }
  return { fault: 'environment', code: 'page', message, place: {} };
}

interface GuestFailure {
  fault: 'input' | 'spec' | 'limit' | 'internal';
  code: string;
  message: string;
  hint?: string;
  place: { line?: bigint; column?: bigint; offset?: bigint; recordNumber?: bigint; path?: string };
}

function returned({ fault, code, message, hint, place }: GuestFailure): Problem {
  const shown: Problem['place'] = {};
  if (place.line !== undefined) shown.line = Number(place.line);
  if (place.column !== undefined) shown.column = Number(place.column);
  if (place.offset !== undefined) shown.offset = Number(place.offset);
  if (place.recordNumber !== undefined) shown.record = Number(place.recordNumber);
  if (place.path !== undefined) shown.path = place.path;
  const problem: Problem = { fault: fault === 'internal' ? 'transform' : fault, code, message, place: shown };
  if (hint !== undefined) problem.hint = hint;
  return problem;
}
