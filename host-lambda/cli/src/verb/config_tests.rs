//! `config check` as a person meets it. Specs are judged only where this build carries a component that
//! loads; with `LAKEGATE_NEEDS_COMPONENT` set, one that does not is a failure.

use super::*;
use lakegate_sandbox::{Limits, Sandbox, Transform};
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
    let args = CheckArgs {
        file: Some(Place::Local(folder.path().to_owned())),
        live: false,
        transform: TransformArg::default(),
    };
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
    // Each learns its types but for `open`, which does not say so.
    let config = config.replace("spec =", "contract = 'learn'\nspec =") + &pipeline("open", "");
    let declared = "[[table]]\nname = 'u'\nmode = 'freeze'\n[[table.column]]\nname = 'id'\ntype = 'bigint'\n";
    let folder = folder(&[
        (FILE_NAME, &config),
        ("good.toml", "[[table]]\nname = 'good'\n"),
        ("broken.toml", "[[table]]\nname = 'broken'\nrwos = 'items'\n"),
        ("nameless.toml", "[input]\nformat = 'csv'\n"),
        ("unbound.toml", &format!("{declared}[[table.derive]]\nname = 'x'\nsql = 'idd + 1'\n")),
        ("twice.toml", "[[table]]\nname = 'twice'\n"),
        ("open.toml", "[[table]]\nname = 'open'\n"),
    ]);
    let answer = checked(&folder);
    assert_eq!(answer.exit, Exit::Usage);
    let lines: Vec<&str> = answer.text.lines().filter(|line| !line.starts_with("  hint")).collect();
    assert_eq!(lines.len(), 7, "{}", answer.text);
    assert!(lines[0].starts_with("broken.toml:3:1: unknown field `rwos`"), "{}", lines[0]);
    assert_eq!(lines[1], "lakegate.toml:15:8: no table is named");
    assert!(lines[2].starts_with("lakegate.toml:20:8: ") && lines[2].contains("gone.toml"), "{}", lines[2]);
    assert!(lines[3].starts_with("lakegate.toml:30:8: the table other was named"), "{}", lines[3]);
    assert_eq!(lines[4], "lakegate.toml:35:8: the spec of `open` leaves types to be learned");
    assert!(lines[5].starts_with("unbound.toml") && lines[5].contains("idd"), "{}", lines[5]);
    assert_eq!(lines[6], "6 mistakes");
    assert!(answer.text.contains("hint: add table = \"NAME\" to [pipeline.nameless]"), "{}", answer.text);
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let failed = |file: Place| {
        let args = CheckArgs { file: Some(file), live: false, transform: TransformArg::default() };
        check(&args, &Context::default()).unwrap_err().name().to_owned()
    };
    assert_eq!(failed(Place::Local(folder.path().join("no.toml"))), "not_found");
    assert_eq!(failed(Place::S3("s3://conf/lakegate.toml".into())), "usage", "only with --live");
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
    assert!(missing.starts_with("lakegate.toml:6:9: the public key gone.pub cannot be read"), "{missing}");
    assert!(told("there.pub", "hello").contains("there.pub: the key cannot be used"));
    assert!(told("MCowBQYDK2Vwx", "").contains("a key in `trust`: the key cannot be used"));
    let (_, public) = lakegate_release::SigningKey::generate().unwrap();
    assert!(told("there.pub", &public).contains("no mistakes"));
}

/// Lines below `[pipeline.a]` (the first is line 2), and all that is to be said of them.
const LISTED: &[(&str, &str)] = &[
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\nspec = 'open.toml'",
        "lakegate.toml:4:8: the spec of `a` leaves types to be learned\n  hint: declare every column and `mode = \
         \"freeze\"` or \"discard\" in the spec, or say `contract = \"learn\"` for the pipeline\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 'lake/'\nspec = 'whole.toml'",
        "lakegate.toml:3:8: `lake` of `a` is a local folder, but its source is in S3\n  hint: what is local in a function \
         does not stay: write lake = \"s3://BUCKET/PREFIX/\"\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\nspec = 'whole.toml'\nlineage.write_to = './events'",
        "lakegate.toml:5:20: `lineage.write_to` of `a` is a local folder, but its source is in S3\n  hint: what is local \
         in a function does not stay: write write_to = \"s3://BUCKET/PREFIX/\"\n1 mistake\n",
    ),
    (
        "source = 's3:/raw/a/'\nlake = 's3://lake/'\nspec = 'whole.toml'",
        "lakegate.toml:2:10: `s3:/` is no place that Lakegate knows\n  hint: write \"s3://raw/a/\"\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\nspec = '../whole.toml'",
        "lakegate.toml:4:8: ../whole.toml is not beside or below the configuration, so it cannot come along\n  hint: \
         move it there, or name it by an s3:// URI\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\nspec = 'whole.toml'\ncatalog = { kind = 'glue', database = 'x' }\n\
         [pipeline.b]\nsource = 's3://raw/b/'\nlake = 's3://lake/'\nspec = 'whole.toml'\ncatalog = { kind = 'glue', \
         database = 'y' }",
        "lakegate.toml:10:11: `b` writes the table whole of `a` (line 1), and registers it in Glue as y.*, not as x.*\n  \
         hint: give both the same [catalog], or each a table or a lake of its own\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\nspec = 'whole.toml'\ncatalog = { kind = 'glue', database = 'x' }\n\
         [pipeline.b]\nsource = 's3://raw/b/'\nlake = 's3://lake/'\ntable = 'whole'\ncontract = 'learn'",
        "lakegate.toml:6:11: `b` writes the table whole of `a` (line 1), and its catalog is of kind \"none\", not \
         \"glue\"\n  hint: give both the same [catalog], or each a table or a lake of its own\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\nspec = 'whole.toml'\ncatalog = { kind = 'glue', database = 'x' }\n\
         [pipeline.b]\nsource = 's3://raw/b/'\nlake = 's3://other/'\nspec = 'whole.toml'\ncatalog = { kind = 'glue', \
         database = 'x' }",
        "lakegate.toml:10:39: `b` registers s3://other/whole/ in Glue as x.whole, which is the table whole of `a` (line \
         1)\n  hint: set another `table_prefix`, `database` or `quarantine`, or name the table otherwise\n1 mistake\n",
    ),
    (
        "source = 's3://raw/'\nlake = 's3://lake/'\nspec = 'whole.toml'\n[pipeline.b]\nsource = 's3://raw/b/'\n\
         lake = 's3://lake/'\nspec = 'whole.toml'",
        "lakegate.toml:6:10: the source of `b` is inside the source of `a` (line 2), and takes its objects\n  hint: the \
         longer prefix wins: write before = \"a\" in [pipeline.b] if that is meant, or keep the sources apart by prefix \
         or suffix\n1 mistake\n",
    ),
    (
        "source = 's3://raw/a/'\nlake = 's3://lake/'\ntable = '_a'\ncontract = 'learn'",
        "lakegate.toml:4:9: no table can be named `_a`: readers of lakes skip what begins with `_`\n  hint: begin it with \
         a letter or a digit\n1 mistake\n",
    ),
];

const WHOLE: &str =
    "[[table]]\nname = 'whole'\nmode = 'freeze'\n[[table.column]]\nname = 'id'\ntype = 'bigint'\n";

#[test]
fn each_listed_mistake_is_found_with_its_line_and_hint() {
    if !has_component() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    for (lines, expected) in LISTED {
        let text = format!("[pipeline.a]\n{lines}\n");
        let files = [(FILE_NAME, &*text), ("open.toml", "[[table]]\nname = 'open'\n"), ("whole.toml", WHOLE)];
        assert_eq!(checked(&folder(&files)).text, *expected, "{text}");
    }
}

#[test]
fn mistakes_in_text_specs_and_keys_are_told_in_one_go() {
    if !has_component() {
        lakegate_skipped::skipped("this build carries no component");
        return;
    }
    let text = "[defaults]\nlake = 's3://lake/'\n[pipeline.a]\nsource = 's3://raw/a/'\nspec = 'open.toml'\npausd = true\n\
                [pipeline.b]\nsource = 's3://raw/b/'\nchannel = 'b'\nregistry = 's3://releases/'\ntrust = ['b.pub']\n\
                [pipeline.c]\nspec = 'broken.toml'\n[pipeline.d]\nsource = 's3://raw/d/'\nspec = 'broken.toml'\n\
                lake = 's3://Lake/'\n[pipeline.e]\nsource = 's3://raw/e/'\nspec = 'broken.toml'\n";
    let files = [
        (FILE_NAME, text),
        ("open.toml", "[[table]]\nname = 'open'\n"),
        ("broken.toml", "[[table]]\nname = 'broken'\nrwos = 'items'\n"),
        ("b.pub", "hello"),
    ];
    let answer = checked(&folder(&files));
    let lines: Vec<&str> = answer.text.lines().filter(|line| !line.starts_with("  hint")).collect();
    let places: Vec<&str> = lines.iter().map(|line| line.split(": ").next().unwrap()).collect();
    let config = ["5:8", "6:1", "11:9", "12:11", "17:8"].map(|place| format!("lakegate.toml:{place}"));
    let mut expected = vec!["broken.toml:3:1"];
    expected.extend(config.iter().map(String::as_str));
    expected.extend(["6 mistakes", "  not looked into, since it is in S3"]);
    assert_eq!(places, expected, "{}", answer.text);
}

#[test]
fn every_key_is_listed() {
    let answer = run(&ConfigArgs { action: Action::Keys }, &Context::default()).unwrap();
    for word in ["[pipeline.NAME.limits]", "before", "64 MiB to 4 GiB", "\"STANDARD_IA\""] {
        assert!(answer.text.contains(word), "{word} in {}", answer.text);
    }
    let sections = answer.json["sections"].as_array().unwrap();
    let pipeline = sections.iter().find(|section| section["section"] == "[pipeline.NAME]").unwrap();
    assert_eq!(pipeline["keys"][0]["key"], "source");
}
