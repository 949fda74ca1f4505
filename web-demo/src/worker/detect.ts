// How a file is read, as far as its beginning tells: for a file that fails, of which there is no report.
//
// The one decision to know: the component says it, of as many whole lines as it would detect by; where it cannot, since a
// document is cut there, only what the first bytes say for certain.

import { inputAlone } from '../../dist/made/inspect.js';
import type { Detected, Job } from '../protocol';
import { compressionOf } from './magic';
import { make } from './make';
import type { Transform } from './transform';

/** What the component detects by. */
const HEAD = 64 << 10;

export async function detect(transform: Transform, job: Job): Promise<Detected | null> {
  const head = new Uint8Array(await job.file.slice(0, HEAD).arrayBuffer());
  const whole = job.file.size <= HEAD ? head.length : head.lastIndexOf(10) + 1;
  try {
    const spec = inputAlone(job.spec);
    const { report } = await make(transform, { ...job, file: job.file.slice(0, whole), spec }, { cancelled: () => false, progress: () => {} });
    const { format, compression, delimiter } = report;
    return delimiter === undefined ? { format, compression } : { format, compression, delimiter };
  } catch {
    return certain(head);
  }
}

function certain(head: Uint8Array): Detected | null {
  const compression = compressionOf(head);
  if (compression !== '') return { format: '', compression };
  const first = new TextDecoder().decode(head.subarray(0, 1024)).trimStart().charAt(0);
  return first === '[' || first === '{' ? { format: 'json', compression: 'none' } : null;
}
