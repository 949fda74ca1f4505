//! Core module → component, and what a shipped component must be.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wit_component::DecodedWasm;

/// Core module → component, validated.
///
/// # Errors
/// The module does not export what the interface asks for.
pub fn encode(core: &Path) -> Result<Vec<u8>> {
    let module = std::fs::read(core).with_context(|| format!("cannot read {}", core.display()))?;
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .context("the core module has no usable component type section")?
        .encode()
        .context("the core module does not fit its WIT world")
}

/// Fails when a component exports nothing, and with the list when it imports anything at all.
///
/// # Errors
/// Either of these, or the bytes are no component.
pub fn check(bytes: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes)? else {
        bail!("the encoder did not make a component");
    };
    let world = &resolve.worlds[world];
    if world.exports.is_empty() {
        bail!(
            "the component exports nothing: the crate says `component!` nowhere, or lacks the feature `component`"
        );
    }
    if world.imports.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    bail!(
        "the component must import nothing, but imports: {}\n  \
         hint: a dependency brought them in (wasm-bindgen, WASI); look with `cargo tree --target {}`",
        names.join(", "),
        crate::TARGET
    )
}
