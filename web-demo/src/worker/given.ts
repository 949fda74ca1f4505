// The component that this worker was made for, when it is not the shipped one.
//
// Not for making it (`vet.ts`). The one decision to know: the worker's text is the glue (see `glue.ts`), which ran before
// any message is delivered; the bytes come as the first message.

import type { Request } from '../protocol';
import { GLUE } from './glue';
import { Transform, type Glue } from './transform';

/** True in a worker that was made for a component. */
export function isGiven(): boolean {
  return self.location.protocol === 'blob:';
}

/** The page sends it first, maybe before anybody waits for it. */
const own = new Promise<Extract<Request, { type: 'own' }>>((resolve) => {
  self.addEventListener('message', ({ data }: MessageEvent<Request>) => data.type === 'own' && resolve(data));
});

/** The component that the page sent, compiled. */
export async function given(): Promise<Transform> {
  const { given: component } = await own;
  const glue = (self as unknown as Record<string, Glue | undefined>)[GLUE];
  if (!glue) throw new Error('the component’s JavaScript did not start');
  return Transform.of(component, glue);
}
