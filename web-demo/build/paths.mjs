// Where things are: what every build step and test shares.
//
// The one decision to know: places outside the checkout come from the environment, with cargo's defaults.

import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const web = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const root = path.dirname(web);
/** Cargo's target folder. */
export const target = path.resolve(process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'));
/** The shipped component, as `cargo xtask component` writes it. */
export const component = path.resolve(
  process.env.LAKEGATE_COMPONENT ?? path.join(target, 'component', 'lakegate.wasm'),
);
/** The command line, for the tests that compare. */
export const command = path.resolve(process.env.LAKEGATE_COMMAND ?? path.join(target, 'debug', 'lakegate'));
/** What the build steps hand to the bundler. */
export const made = path.join(web, 'dist', 'made');
/** The finished page. */
export const site = path.join(web, 'dist', 'site');
/** Screenshots. */
export const output = path.join(root, 'tests', 'output', 'web');
