//! `config check` as a person meets it. Specs are judged only where this build carries a component that
//! loads; with `LAKEGATE_NEEDS_COMPONENT` set, one that does not is a failure.

use super::*;
use lakegate_sandbox::{Limits, Sandbox};
use std::fs;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn checked(folder: &TempDir) -> Answer {
    let args = CheckArgs { file: Some(folder.path().to_owned()), transform: TransformArg::default() };
    let answer = run(&ConfigArgs { action: Action::Check(args) }, &Context::default()).unwrap();
    // Names of temporary folders are not to be compared.
    let text = answer.text.replace(&format!("{}/", folder.path().display()), "");
    Answer { text, ..answer }
}

fn has_component() -> bool {
    let loaded = Sandbox::new(Limits::default()).and_then(|sandbox| Transform::shipped(&sandbox));
    let needed = std::env::var_os("LAKEGATE_NEEDS_COMPONENT").is_some();
    assert!(!needed || loaded.is_ok(), "LAKEGATE_NEEDS_COMPONENT is set, but: {:?}", loaded.err());
    loaded.is_ok()
}

const RIGHT: &str = r#"
[defaults]
lake = "s3://lake/tables/"
notify.failure = "arn:aws:sns:eu-central-1:111122223333:failed"
[pipeline.clicks]
source = "s3://raw/clicks/"
suffix = [".json", ".json.gz"]
table = "clicks"
contract = "learn"
catalog = { kind = "glue", database = "web", table_prefix = "lg_" }
paused = true
[pipeline.sales]
source = "s3://raw/sales/"
channel = "sales"
registry = "s3://releases/"
trust = ["MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
notify.success = "arn:aws:sns:eu-central-1:111122223333:done"
"#;

#[test]
fn a_right_configuration_is_a_table() {
    let answer = checked(&folder(&[(FILE_NAME, RIGHT)]));
    assert_eq!(answer.exit, Exit::Done);
    assert_eq!(
        answer.text,
        "lakegate.toml: 2 pipelines, no mistakes\n  \
         pipeline  source                           told by                          lake               catalog        notifies\n  \
         clicks    s3://raw/clicks/….json,.json.gz  no spec, learns                  s3://lake/tables/  glue web.lg_*  failure           paused\n  \
         sales     s3://raw/sales/…                 channel sales of s3://releases/  s3://lake/tables/                 success, failure\n  \
         not looked into, since it is in S3: the spec or the releases of sales\n"
    );
    assert_eq!(answer.json["valid"], true);
    assert_eq!(answer.json["pipelines"][0]["suffix"], json!([".json", ".json.gz"]));
    assert_eq!(answer.json["pipelines"][1]["channel"], "sales");
}

#[test]
fn every_mistake_is_a_line_that_editors_read() {
    let wrong = "[pipeline.a]\nsorce = 's3://raw/a/'\nlake = 's3://Lake/'\nspec = 's3://raw/a.toml'\n";
    let answer = checked(&folder(&[(FILE_NAME, wrong)]));
    assert_eq!(
        answer.text,
        "lakegate.toml:1:11: `a` has no source\n  hint: write source = \"s3://BUCKET/PREFIX/\"\n\
         lakegate.toml:2:1: `sorce` is no key of [pipeline.NAME]\n  hint: did you mean `source`?\n\
         lakegate.toml:3:8: `Lake` is no bucket name\n  hint: 3 to 63 lower-case letters, digits, `-` and `.`, \
         with a letter or digit at both ends\n3 mistakes\n"
    );
    assert_eq!(answer.exit.code(), 2);
    let second = &answer.json["mistakes"][1];
    assert_eq!((&second["line"], &second["column"]), (&json!(2), &json!(1)));
    assert_eq!(answer.json["valid"], false);
}

#[test]
fn specs_are_judged_by_the_transform() {
    if !has_component() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    let pipeline = |name: &str, more: &str| {
        format!(
            "[pipeline.{name}]\nsource = 's3://raw/{name}/'\nlake = 's3://lake/'\nspec = '{name}.toml'\n{more}"
        )
    };
    let config = ["good", "broken", "nameless", "gone", "unbound"].map(|name| pipeline(name, "")).concat()
        + &pipeline("twice", "table = 'other'\n");
    let declared = "[[table]]\nname = 'u'\nmode = 'freeze'\n[[table.column]]\nname = 'id'\ntype = 'bigint'\n";
    let folder = folder(&[
        (FILE_NAME, &config),
        ("good.toml", "[[table]]\nname = 'good'\n"),
        ("broken.toml", "[[table]]\nname = 'broken'\nrwos = 'items'\n"),
        ("nameless.toml", "[input]\nformat = 'csv'\n"),
        ("unbound.toml", &format!("{declared}[[table.derive]]\nname = 'x'\nsql = 'idd + 1'\n")),
        ("twice.toml", "[[table]]\nname = 'twice'\n"),
    ]);
    let answer = checked(&folder);
    assert_eq!(answer.exit, Exit::Usage);
    let lines: Vec<&str> = answer.text.lines().filter(|line| !line.starts_with("  hint")).collect();
    assert_eq!(lines.len(), 6, "{}", answer.text);
    assert!(lines[0].starts_with("broken.toml:3:1: unknown field `rwos`"), "{}", lines[0]);
    assert!(lines[1].starts_with("lakegate.toml:16:8: ") && lines[1].contains("gone.toml"), "{}", lines[1]);
    assert_eq!(lines[2], "lakegate.toml:12:8: no table is named");
    assert!(lines[3].starts_with("lakegate.toml:24:8: the table other was named"), "{}", lines[3]);
    assert!(lines[4].starts_with("unbound.toml") && lines[4].contains("idd"), "{}", lines[4]);
    assert_eq!(lines[5], "5 mistakes");
    assert!(answer.text.contains("hint: add table = \"NAME\" to [pipeline.nameless]"), "{}", answer.text);
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let args = CheckArgs { file: Some(folder.path().join("no.toml")), transform: TransformArg::default() };
    assert_eq!(check(&args, &Context::default()).unwrap_err().name(), "not_found");
}

#[test]
fn a_public_key_that_cannot_be_used_is_said() {
    let config = |trust: &str| {
        format!(
            "[pipeline.x]\nsource = 's3://raw/x/'\nlake = 's3://lake/'\nchannel = 'x'\nregistry = 's3://releases/'\n\
             trust = ['{trust}']\n"
        )
    };
    let told = |trust: &str, key: &str| {
        checked(&folder(&[("lakegate.toml", &config(trust)), ("there.pub", key)])).text
    };
    let missing = told("gone.pub", "");
    assert!(missing.starts_with("lakegate.toml:1:11: the public key gone.pub cannot be read"), "{missing}");
    assert!(told("there.pub", "hello").contains("there.pub: the key cannot be used"));
    assert!(told("MCowBQYDK2Vwx", "").contains("a key in `trust`: the key cannot be used"));
    let (_, public) = lakegate_release::SigningKey::generate().unwrap();
    assert!(told("there.pub", &public).contains("no mistakes"));
}
