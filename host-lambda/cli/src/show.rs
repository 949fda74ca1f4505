//! How things look: text for people, JSON for programs, and the one place that writes either.

pub mod alike;
pub mod contract_view;
pub mod flow;
pub mod footer;
pub mod made;
pub mod output;
pub mod problem;
pub mod progress;
pub mod reasons;
pub mod remote;
pub mod render;
pub mod rows;
