//! `lakegate-glue IN.wasm FOLDER`: the JavaScript that loads `lakegate-inspect`, and the Wasm beside it.
//!
//! Not for compiling or shrinking it (`web-demo/build/inspect.mjs`). The one decision to know: wasm-bindgen's
//! own command must have exactly the version of the library; as a library, the lock file sees to that.

#![forbid(unsafe_code)]

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder] = arguments.as_slice() else { bail!("usage: lakegate-glue IN.wasm FOLDER") };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).web(true)?.typescript(true).omit_default_module_path(true);
    bindgen.generate(folder).with_context(|| format!("cannot make the glue of {input}"))
}
