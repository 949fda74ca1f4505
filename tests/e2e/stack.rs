//! Rendered stacks before they are deployed: what judges them, and that those judges find what they are for.
//!
//! Not for what a stack does once it stands: the cases `stacks_…` and `machine_…` of `aws`. The decision to know: every
//! judge is in Python, so that nothing of the renderer judges itself.

use std::ffi::OsStr;

use lakegate_tests::command::binary;
use lakegate_tests::peers::{judge, prepared};

#[test]
fn each_rule_finds_what_it_is_for() {
    judge("stack_wiring_tests.py", &[]);
}

#[test]
fn every_judge_is_content() {
    let Some(tools) = prepared("LAKEGATE_STACK_TOOLS") else { return };
    let arguments =
        [OsStr::new("--lakegate"), binary().as_os_str(), OsStr::new("--tools"), tools.as_os_str()];
    judge("stack_judge.py", &arguments);
}
