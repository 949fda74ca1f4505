// A component's own account of itself, read from its bytes: what it imports and exports, where its core modules lie.
//
// Not a validator (the transpiler is, and the browser's compiler). The one decision to know: this is read before the
// transpiler is even fetched, so that a component which must not run is refused at once and in the command line's words.

import type { Problem } from '../protocol';

/** The interface that this page speaks; any 1.x of it answers. */
const INTERFACE = 'lakegate:transform/transform@1';
const WANTED = `${INTERFACE}.0.0`;

/** Where a core module stands in the component. */
export interface Slice {
  offset: number;
  length: number;
}

export interface Outline {
  imports: string[];
  exports: string[];
  modules: Slice[];
}

/** `\0asm`, version 13, layer 1. */
export function isComponent(bytes: Uint8Array): boolean {
  const preamble = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];
  return preamble.every((byte, index) => bytes[index] === byte);
}

/** Why a component must not run here, or nothing. `name` is for the message. */
export function refusal(name: string, bytes: Uint8Array): Problem | null {
  if (!isComponent(bytes)) {
    const isModule = bytes[0] === 0 && bytes[1] === 0x61 && bytes[4] === 1;
    return invalid(name, isModule ? 'attempted to parse a wasm module with a component parser' : 'bad magic number');
  }
  let found: Outline;
  try {
    found = outline(bytes);
  } catch (thrown) {
    return invalid(name, (thrown as Error).message);
  }
  if (found.imports.length > 0) {
    return problem(
      'component_imports',
      `${name} imports ${found.imports.join(', ')}: a transform must import nothing`,
      'build it for wasm32-unknown-unknown, and look for getrandom, chrono or wasi in its dependencies',
    );
  }
  if (!found.exports.some((one) => one.startsWith(`${INTERFACE}.`))) {
    const others = found.exports.length > 0 ? found.exports.join(', ') : 'nothing';
    return problem(
      'component_interface',
      `${name} does not export ${WANTED} (it exports ${others})`,
      'build it against the transform.wit of this version',
    );
  }
  return null;
}

/** Bytes that cannot run here. */
export function invalid(name: string, reason: string): Problem {
  const message = `${name} is not a component that can run here: ${reason}`;
  return problem('component_invalid', message, 'a core module must be encoded as a component first');
}

function problem(code: string, message: string, hint: string): Problem {
  return { fault: 'transform', code, message, hint, place: {} };
}

/** What the sections say; throws where they end too early. */
export function outline(bytes: Uint8Array): Outline {
  const found: Outline = { imports: [], exports: [], modules: [] };
  walk(new Cursor(bytes, 8, bytes.length), found, true);
  return found;
}

/** Sections of a component; those of the components in it only for their core modules. */
function walk(cursor: Cursor, found: Outline, outermost: boolean): void {
  while (!cursor.done()) {
    const id = cursor.byte();
    const length = cursor.number();
    const section = cursor.take(length);
    if (id === 1) found.modules.push({ offset: section.at, length });
    else if (id === 4) walk(section.skip(8), found, false);
    else if (id === 10 && outermost) list(section, found.imports, extern);
    else if (id === 11 && outermost) list(section, found.exports, exported);
  }
}

function list(section: Cursor, names: string[], skip: (section: Cursor) => void): void {
  for (let left = section.number(); left > 0; left--) {
    // 0 and 1 are two eras of the same; 2 has a version suffix behind the name.
    const kind = section.byte();
    const name = section.text();
    names.push(kind === 2 ? `${name}${section.text()}` : name);
    skip(section);
  }
}

function exported(section: Cursor): void {
  if (section.byte() === 0) section.byte();
  section.number();
  if (section.byte() === 1) extern(section);
}

/** A description of what is imported or exported: a kind, and an index, a bound or a type. */
function extern(section: Cursor): void {
  const kind = section.byte();
  if (kind === 0) section.byte();
  const bound = kind === 2 || kind === 3 ? section.byte() : 0;
  if (kind !== 3 || bound === 0) section.number();
}

class Cursor {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.done()) throw new Error('a section ends too early');
    return this.bytes[this.at++] ?? 0;
  }

  /** LEB128, of which 32 bits are used. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number is too long');
  }

  text(): string {
    const { at } = this.take(this.number());
    return new TextDecoder().decode(this.bytes.subarray(at, this.at));
  }

  /** The next bytes, by themselves. */
  take(length: number): Cursor {
    if (this.at + length > this.end) throw new Error('a section is longer than the component');
    const taken = new Cursor(this.bytes, this.at, this.at + length);
    this.at += length;
    return taken;
  }

  skip(length: number): Cursor {
    this.take(length);
    return this;
  }
}
