//! The component that this build carries; written by the build script.

include!(concat!(env!("OUT_DIR"), "/component.rs"));
