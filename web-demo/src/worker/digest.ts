// SHA-256 of what is in memory already, as lower-case hex.
//
// Not for files, which are hashed as they stream through (`make.ts`, `made.ts`). The one decision to know: it is that of
// `inspect`, because the browser's own is there on secure pages only.

import { Sha256 } from '../../dist/made/inspect.js';

export function sha256(bytes: Uint8Array): string {
  const hash = new Sha256();
  hash.update(bytes);
  const digest = hash.hex();
  hash.free();
  return digest;
}
