//! Host-side types of the WIT package, made by wasmtime from the same file the transform is built from.

wasmtime::component::bindgen!({
    path: "../../transform-wasm/wit",
    world: "lakegate-transform",
});

pub use exports::lakegate::transform::transform::{Failure, Fault, Options, PartBytes, Step, TableContract};
