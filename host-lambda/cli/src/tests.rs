//! Tests of the clap tree: argument errors, help, the shape of `--json`.

use crate::*;
use serde_json::Value;

fn lakegate(arguments: &[&str]) -> (String, String, u8) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["lakegate"].iter().chain(arguments).map(OsString::from).collect();
    let exit = answer(arguments, Context::default(), &mut out, &mut err);
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), exit.code())
}

#[test]
fn the_clap_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_explains_itself_with_examples() {
    fn visit(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} says nothing of itself");
        if !command.has_subcommands() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("lakegate "), "{path} has no example");
        }
        command.get_subcommands().for_each(|sub| visit(sub, &path));
    }
    visit(&Cli::command(), "");
}

#[test]
fn alone_it_prints_help() {
    let (out, err, _) = lakegate(&[]);
    assert!(format!("{out}{err}").contains("Usage: lakegate"), "{out}{err}");
}

#[test]
fn an_argument_error_is_exit_two_and_json_when_asked_for() {
    let (out, err, exit) = lakegate(&["inspekt"]);
    assert_eq!((out.as_str(), exit), ("", 2));
    assert!(err.contains("inspekt"), "{err}");
    let (out, _, exit) = lakegate(&["inspect", "--json", "--no-such-flag"]);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((value["error"]["fault"].as_str(), exit), (Some("usage"), 2));
    assert!(value["error"]["message"].as_str().unwrap().contains("--no-such-flag"));
}

#[test]
fn failures_are_json_too() {
    let (out, err, exit) = lakegate(&["inspect", "/no/such/file", "--json"]);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((value["error"]["code"].as_str(), exit), (Some("not_found"), 1));
    assert!(err.contains("/no/such/file"), "{err}");
}

#[test]
fn the_version_names_the_component() {
    let (out, _, exit) = lakegate(&["--version"]);
    assert!(out.starts_with(&format!("lakegate {}\n", env!("CARGO_PKG_VERSION"))), "{out}");
    assert!(out.contains("component"), "{out}");
    assert_eq!(exit, 0);
}
