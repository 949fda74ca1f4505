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

/// What a verb's arguments name, as `docs/verbs.md` has it: a line a verb, made from the commands' own definitions.
fn table_of_verbs() -> String {
    fn visit(command: &clap::Command, path: &str, rows: &mut Vec<String>) {
        for sub in command.get_subcommands() {
            let path = format!("{path}{}", sub.get_name());
            if sub.has_subcommands() {
                visit(sub, &format!("{path} "), rows);
                continue;
            }
            let arguments = sub.get_arguments().filter(|argument| !argument.is_hide_set());
            let (mut anywhere, mut here) = (Vec::new(), Vec::new());
            for argument in arguments {
                let named = match argument.get_long() {
                    Some(long) => format!("`--{long}`"),
                    None => format!("`{}`", argument.get_value_names().unwrap_or_default().join(" ")),
                };
                let kind = argument.get_value_parser().type_id();
                if kind == TypeId::of::<place::Place>() {
                    anywhere.push(named.replace(" | ", " or "));
                } else if kind == TypeId::of::<PathBuf>() {
                    here.push(named.replace(" | ", " or "));
                }
            }
            let list = |names: &[String]| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
            rows.push(format!("| `{path}` | {} | {} |\n", list(&anywhere), list(&here)));
        }
    }
    let mut rows = Vec::new();
    visit(&Cli::command(), "", &mut rows);
    rows.sort();
    rows.concat()
}

#[cfg(feature = "aws")]
#[test]
fn the_documentation_says_which_verb_works_where() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verbs.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once("| --- | --- | --- |\n").unwrap();
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    let wanted = format!("{before}| --- | --- | --- |\n{}\n{after}", table_of_verbs());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert_eq!(text, wanted, "UPDATE=1 writes it");
}

#[test]
fn no_path_of_any_command_takes_a_uri() {
    fn visit(command: &clap::Command, words: &[String]) {
        for argument in command.get_arguments() {
            let kind = argument.get_value_parser().type_id();
            if kind != TypeId::of::<PathBuf>() && kind != TypeId::of::<place::Place>() {
                continue;
            }
            let before = match (argument.get_long(), argument.get_index()) {
                (Some(long), _) => vec![format!("--{long}")],
                (None, at) => vec!["x".to_owned(); at.unwrap_or(1) - 1],
            };
            for uri in ["s3:/bucket/key", "s3:key", "S3://bucket/key", "s3a://bucket/key", "https://host/key"]
            {
                let line = words.iter().cloned().chain(before.clone()).chain([uri.to_owned()]);
                let refused = tree().try_get_matches_from(line).err().map(|error| error.kind());
                let wanted = Some(clap::error::ErrorKind::ValueValidation);
                assert_eq!(refused, wanted, "{words:?} {} takes {uri}", argument.get_id());
            }
        }
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            visit(sub, &[words, &[sub.get_name().to_owned()]].concat());
        }
    }
    let mut whole = tree();
    // Positions are known from then on.
    whole.build();
    visit(&whole, &["lakegate".to_owned()]);
}
