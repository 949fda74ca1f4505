// Downloads: a blob under a name.

import { h } from './dom';

/** How long a download may take to begin: it has its own hold on the blob from then on. */
const BEGIN_MILLISECONDS = 60_000;

export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), BEGIN_MILLISECONDS);
}
