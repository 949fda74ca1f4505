// Fixes of a file's spec: what the button at a warning does.
//
// Not for changing a text (`inspect` does). The one decision to know: what is only proposed is no spec of a person's: a fix
// that changes how the input is read, or what a row is, begins from nothing, so that columns are proposed anew.

import type { Entry, Files } from './entry';
import type { Fix } from './protocol';
import { say } from './say';

/** Changes an entry's spec and runs it; a note of the proposal about it, `said`, is none any more. */
export async function makeFix(files: Files, entry: Entry, fix: Fix, said: string): Promise<void> {
  const proposed = fix.shape ? '' : (entry.result?.preview.spec ?? '').replace(`# Note: ${said}.\n`, '');
  const before = entry.draft ?? entry.spec;
  try {
    const after = await files.edited(before === '' ? proposed : before, fix);
    entry.fixed = { by: fix, before, after, edited: entry.edited };
    follow(files, entry, after, true);
  } catch (error) {
    say((error as Error).message);
  }
}

/** Takes back the fix that made the spec. */
export function undoFix(files: Files, entry: Entry): void {
  const { fixed } = entry;
  entry.fixed = null;
  if (fixed) follow(files, entry, fixed.before, fixed.edited);
}

function follow(files: Files, entry: Entry, spec: string, edited: boolean): void {
  entry.spec = spec;
  entry.draft = null;
  entry.edited = edited;
  files.start(entry);
}
