//! Places and files that a configuration names: which texts are one, and which of them a function has.

use super::tests::{mistakes, origin, parse, with};
use super::*;

#[test]
fn places_must_be_legal() {
    let source = |text: &str| mistakes(&with("").replace("s3://raw/orders/", text));
    let cases = [
        (
            "s3://raw/orders",
            "2:10: does `orders` end here?; write \"s3://raw/orders/\" for the folder, or \"s3://raw/orders*\" for all keys that start so",
        ),
        ("s3://raw/*/x/", "2:10: a `*` may stand at the end only; use `suffix` for how keys end"),
        (
            "s3://raw//orders/",
            "2:10: there is an empty folder name in it; keys in S3 do not start with `/`; write each `/` once",
        ),
        (
            "s3://raw/../orders/",
            "2:10: `.` and `..` are ordinary names in S3, and many tools take them away; write the whole prefix",
        ),
        ("s3a://raw/orders/", "2:10: `s3a://` is no place that Lakegate knows; write \"s3://raw/orders/\""),
        (
            "file:///data/",
            "2:10: `file://` is no place that Lakegate knows; write the path alone: \"/data/\"",
        ),
        (
            "s3:///orders/",
            "2:10: `` is no bucket name; 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
        ),
        ("", "2:10: `source` is empty"),
        (
            "./in*",
            "2:10: a local source is a whole folder; end it with `/`, and use `suffix` for how names end",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(source(text), [expected], "{text}");
    }
    let long = format!("s3://raw/{}/", "x".repeat(512));
    assert!(
        source(&long)[0].starts_with("2:10: a prefix of 513 bytes is too long: at most 512"),
        "{:?}",
        source(&long)
    );
    for whole_bucket in ["s3://raw", "s3://raw/"] {
        let config = parse(&with("").replace("s3://raw/orders/", whole_bucket));
        assert_eq!(config.pipelines["orders"].source.location.uri(), "s3://raw/");
    }
}

/// Every key that names a place or a file, and how a configuration has it.
const PLACES: [(&str, &str); 9] = [
    ("source", "source = '@'\nspec = 'a.toml'\nlake = 's3://lake/'"),
    ("lake", "lake = '@'\nsource = 's3://raw/'\nspec = 'a.toml'"),
    ("spec", "spec = '@'\nsource = 's3://raw/'\nlake = 's3://lake/'"),
    ("failed", "failed.copy_to = '@'\nsource = 's3://raw/'\nspec = 'a.toml'\nlake = 's3://lake/'"),
    ("lineage", "lineage.write_to = '@'\nsource = 's3://raw/'\nspec = 'a.toml'\nlake = 's3://lake/'"),
    ("registry", "registry = '@'\nchannel = 'c'\ntrust = ['k']\nsource = 's3://raw/'\nlake = 's3://lake/'"),
    (
        "trust",
        "trust = ['@']\nchannel = 'c'\nregistry = 's3://rel/'\nsource = 's3://raw/'\nlake = 's3://lake/'",
    ),
    (
        "key",
        "key = '@'\nchannel = 'c'\ntrust = ['k']\nregistry = 's3://rel/'\nsource = 's3://raw/'\nlake = 's3://lake/'",
    ),
    ("a local source", "source = '@'\nspec = 'a.toml'\nlake = './lake/'"),
];

/// A URI that is mistyped is no folder of that name.
#[test]
fn what_looks_like_a_uri_is_one() {
    let cases = [
        ("s3:/raw/x/", "`s3:/` is no place that Lakegate knows; write \"s3://raw/x/\""),
        ("s3:raw/x/", "`s3:` is no place that Lakegate knows; write \"s3://raw/x/\""),
        ("S3://raw/x/", "`S3://` is no place that Lakegate knows; write \"s3://raw/x/\""),
        ("s3//raw/x/", "`s3//` is no place that Lakegate knows; write \"s3://raw/x/\""),
        ("s3n://raw/x/", "`s3n://` is no place that Lakegate knows; write \"s3://raw/x/\""),
        ("arn:aws:s3:::raw/x/", "`arn:` is no place that Lakegate knows; write \"s3://raw/x/\""),
        ("file:/raw/x/", "`file:/` is no place that Lakegate knows; write the path alone: \"/raw/x/\""),
        (
            "https://raw.s3.amazonaws.com/x/",
            "`https://` is no place that Lakegate knows; write s3://BUCKET/PREFIX/ or a local path",
        ),
        ("://raw/x/", "`://` is no place that Lakegate knows; write s3://BUCKET/PREFIX/ or a local path"),
    ];
    for (key, lines) in PLACES {
        for (text, expected) in cases {
            let found = mistakes(&format!("[pipeline.a]\n{}", lines.replace('@', text)));
            assert_eq!(found.len(), 1, "{key}: {text}: {found:?}");
            assert!(found[0].starts_with("2:") && found[0].ends_with(expected), "{key}: {text}: {found:?}");
        }
    }
    let local = parse("[pipeline.a]\nsource = './s3:/x/'\nspec = './a:b.toml'\nlake = 'lake'\n");
    assert_eq!(local.pipelines["a"].source.location.uri(), "/etc/lakegate/s3:/x/");
}

/// Lines after a source in S3, and what a function would not find or not keep.
#[test]
fn what_a_function_has_no_folder_for_is_refused() {
    let place = |key: &str, name: &str, why: &str| {
        format!(
            "`{name}` of `a` is a local folder, but its source is in S3; what is local in a function {why}: write {key} \
             = \"s3://BUCKET/PREFIX/\""
        )
    };
    let (lost, absent) = ("does not stay", "is not there");
    let file = |file: &str| {
        format!(
            "{file} is not beside or below the configuration, so it cannot come along; move it there, or name it by an \
             s3:// URI"
        )
    };
    let (spec, lake) = ("spec = 'a.toml'", "lake = 's3://lake/'");
    let channel = "channel = 'c'\nregistry = 's3://releases/'\nlake = 's3://lake/'";
    let cases = [
        (format!("lake = 'lake/'\n{spec}"), format!("3:8: {}", place("lake", "lake", lost))),
        (format!("lake = '/mnt/lake'\n{spec}"), format!("3:8: {}", place("lake", "lake", lost))),
        (
            format!("lineage.write_to = 'events'\n{spec}\n{lake}"),
            format!("3:20: {}", place("write_to", "lineage.write_to", lost)),
        ),
        (
            format!("failed.copy_to = './failed/'\n{spec}\n{lake}"),
            format!("3:18: {}", place("copy_to", "failed.copy_to", lost)),
        ),
        (
            format!("registry = 'releases'\n{channel}\ntrust = 'k.pub'")
                .replace("registry = 's3://releases/'\n", ""),
            format!("3:12: {}", place("registry", "registry", absent)),
        ),
        (format!("spec = '../a.toml'\n{lake}"), format!("3:8: {}", file("../a.toml"))),
        (format!("spec = 'specs/../a.toml'\n{lake}"), format!("3:8: {}", file("specs/../a.toml"))),
        (format!("spec = '/etc/a.toml'\n{lake}"), format!("3:8: {}", file("/etc/a.toml"))),
        (format!("trust = ['k.pub', '../k']\n{channel}"), format!("3:19: {}", file("../k"))),
        (format!("trust = '/k'\n{channel}"), format!("3:9: {}", file("/k"))),
    ];
    for (lines, expected) in cases {
        let text = format!("[pipeline.a]\nsource = 's3://raw/a/'\n{lines}\n");
        assert_eq!(mistakes(&text), [expected], "{text}");
        // What a command takes from a folder may lie anywhere on its machine.
        let local = text.replace("s3://raw/a/", "raw/");
        assert_eq!(Config::read(&local, &origin()).mistakes, [], "{local}");
    }
    let key = format!("key = '/etc/release.key'\ntrust = './k.pub'\n{channel}");
    parse(&format!("[pipeline.a]\nsource = 's3://raw/a/'\n{key}\n"));
}
