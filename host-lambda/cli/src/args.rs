//! What several verbs are told, from the command line to the libraries underneath.

pub mod config;
pub mod files;
pub mod inputs;
pub mod lake;
pub mod plans;
pub mod registry;
pub mod sample;
pub mod transform;
