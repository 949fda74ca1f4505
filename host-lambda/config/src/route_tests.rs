//! What pipelines are to each other, which of them takes an object, and where the text is found.

use crate::*;

fn origin() -> Origin {
    Origin::File(PathBuf::from("/etc/lakegate/lakegate.toml"))
}

/// Name, source, and further lines of a pipeline.
type Line<'t> = (&'t str, &'t str, &'t str);

/// Pipelines that learn a table of their own name; the lake is the same unless the lines say another.
fn text(pipelines: &[Line]) -> String {
    let one = |(name, source, rest): &Line| {
        let lake = if rest.contains("lake =") { "" } else { "lake = 's3://lake/tables/'\n" };
        format!(
            "[pipeline.{name}]\nsource = '{source}'\ncontract = 'learn'\ntable = '{name}'\n{lake}{rest}\n"
        )
    };
    pipelines.iter().map(one).collect()
}

fn mistakes(pipelines: &[Line]) -> Vec<String> {
    match Config::parse(&text(pipelines), &origin()) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(|m| format!("{}:{}: {}", m.line, m.column, m.message)).collect(),
    }
}

fn routed(config: &Config, bucket: &str, key: &str) -> String {
    match config.route(bucket, key) {
        Route::Pipeline(pipeline) => pipeline.name.clone(),
        Route::Loop { pipeline, prefix } => format!("loop {pipeline} {prefix}"),
        Route::Unmatched => "-".to_owned(),
    }
}

#[test]
fn the_longest_prefix_wins_then_the_longest_suffix() {
    let text = text(&[
        ("all", "s3://raw/", ""),
        ("orders", "s3://raw/orders/", "before = 'all'\nsuffix = ['.json', '.json.gz']"),
        ("zipped", "s3://raw/orders/", "before = ['all', 'orders']\nsuffix = 'special.json.gz'"),
        ("clicks", "s3://raw/clicks-2025*", "before = 'all'"),
        (
            "audited",
            "s3://raw/audit/",
            "before = 'all'\nlineage.write_to = 's3://audit/'\nfailed.copy_to = 's3://failed/x'",
        ),
    ]);
    let config = Config::parse(&text, &origin()).unwrap();
    let cases = [
        ("raw", "orders/2025/a.json", "orders"),
        ("raw", "orders/a.json.gz", "orders"),
        ("raw", "orders/special.json.gz", "zipped"),
        ("raw", "orders/a.csv", "all"),
        ("raw", "orders", "all"),
        ("raw", "orders_old/a.json", "all"),
        ("raw", "clicks-2025-01/a", "clicks"),
        ("raw", "clicks-2024-12/a", "all"),
        ("raw", "日本/é & b+c.json", "all"),
        ("raw2", "orders/a.json", "-"),
        ("ra", "w/orders/a.json", "-"),
        ("lake", "tables/orders/a.parquet", "loop all s3://lake/tables/"),
        ("lake", "other/a.json", "-"),
        ("audit", "2025/event.json", "loop audited s3://audit/"),
        ("failed", "x/a.json", "loop audited s3://failed/x/"),
        ("failed", "xy/a.json", "-"),
    ];
    for (bucket, key, expected) in cases {
        assert_eq!(routed(&config, bucket, key), expected, "{bucket}/{key}");
    }
}

#[test]
fn a_suffix_is_of_the_name_and_not_of_the_prefix() {
    let config =
        Config::parse(&text(&[("a", "s3://raw/x.json/", "suffix = 'n/a.json'")]), &origin()).unwrap();
    assert_eq!(routed(&config, "raw", "x.json/a.json"), "-");
    assert_eq!(routed(&config, "raw", "x.json/n/a.json"), "a");
}

#[test]
fn local_sources_are_routed_too() {
    let config = Config::parse(&text(&[("a", "./incoming", "lake = './lake'")]), &origin()).unwrap();
    let name = |path: &str| match config.route_path(Path::new(path)) {
        Route::Pipeline(pipeline) => pipeline.name.clone(),
        Route::Loop { prefix, .. } => prefix,
        Route::Unmatched => "-".to_owned(),
    };
    assert_eq!(name("/etc/lakegate/incoming/x/../a.json"), "a");
    assert_eq!(name("/etc/lakegate/incoming_old/a.json"), "-");
    assert_eq!(name("/etc/lakegate/lake/t/a.parquet"), "/etc/lakegate/lake/");
}

#[test]
fn two_pipelines_must_not_take_the_same_objects() {
    let same = ["8:10: `b` takes the same objects as `a` (line 2)"];
    let pair = |one, other| mistakes(&[("a", "s3://raw/x/", one), ("b", "s3://raw/x/", other)]);
    assert_eq!(pair("", ""), same);
    assert_eq!(pair("suffix = ['.a', '.b']", "suffix = ['.b', '.c']"), same);
    assert!(pair("suffix = '.a'", "suffix = '.b'").is_empty());
    assert!(pair("suffix = '.a'", "").is_empty());
    assert!(pair("suffix = '.json'", "suffix = 'x.json'").is_empty());
    // Names are in order, the text need not be: the later one is to change.
    let swapped = mistakes(&[("b", "s3://raw/x/", ""), ("a", "s3://raw/x/", "")]);
    assert_eq!(swapped, ["8:10: `a` takes the same objects as `b` (line 2)"]);
}

#[test]
fn a_source_inside_another_says_so() {
    let pair = |source: &str, inner: &str, outer: &str| {
        mistakes(&[("all", "s3://raw/", outer), ("new", source, inner)])
    };
    let taken = ["8:10: the source of `new` is inside the source of `all` (line 2), and takes its objects"];
    assert_eq!(pair("s3://raw/new/", "", ""), taken);
    assert_eq!(pair("s3://raw/n*", "", ""), taken);
    assert_eq!(pair("s3://raw/new/", "suffix = '.json'", ""), taken);
    assert_eq!(pair("s3://raw/new/", "suffix = '.json'", "suffix = ['.csv', 's.json']"), taken);
    assert!(pair("s3://raw/new/", "before = 'all'", "").is_empty());
    assert!(pair("s3://raw/new/", "before = ['all']\nsuffix = '.json'", "").is_empty());
    assert!(pair("s3://raw/new/", "suffix = '.json'", "suffix = '.csv'").is_empty(), "no object is of both");
    assert!(pair("s3://raw2/new/", "", "").is_empty());
    // What is stated must be so.
    assert_eq!(pair("s3://raw/new/", "before = ['all', 'al']", ""), ["12:18: there is no pipeline `al`"]);
    let outside = ["6:10: the source of `all` is not inside the source of `new`"];
    assert_eq!(pair("s3://raw2/new/", "", "before = 'new'"), outside);
    let text = text(&[("all", "./raw/", "lake = './lake'"), ("new", "./raw/new/", "lake = './lake'")]);
    let found = Config::read(&text, &origin()).mistakes;
    let hint = "the longer prefix wins: write before = \"all\" in [pipeline.new] if that is meant, or keep the sources \
                apart by prefix or suffix";
    assert_eq!(found.first().map(|one| (one.line, one.hint.as_deref())), Some((7, Some(hint))));
}

#[test]
fn a_loop_is_named() {
    let cases: [(&[Line], &str); 6] = [
        (
            &[("a", "s3://lake/tables/", "")],
            "2:10: a loop: the source of `a` is below its own `lake`, s3://lake/tables/",
        ),
        (
            &[("a", "s3://lake/tables/raw/", "")],
            "2:10: a loop: the source of `a` is below its own `lake`, s3://lake/tables/",
        ),
        (
            &[("a", "s3://lake", "")],
            "2:10: a loop: the source of `a` holds its own `lake`, s3://lake/tables/",
        ),
        (
            &[("a", "s3://raw/a/", ""), ("b", "s3://lake/t*", "lake = 's3://other/'")],
            "8:10: a loop: the source of `b` holds `lake` of `a`, s3://lake/tables/",
        ),
        (
            &[("a", "s3://raw/a/", "failed.copy_to = 's3://bad'"), ("b", "s3://bad/a/", "")],
            "8:10: a loop: the source of `b` is below `failed.copy_to` of `a`, s3://bad/",
        ),
        (
            &[("a", "s3://raw/a/", "lineage.write_to = 's3://raw/a/events'")],
            "2:10: a loop: the source of `a` holds its own `lineage.write_to`, s3://raw/a/events/",
        ),
    ];
    for (pipelines, expected) in cases {
        assert_eq!(mistakes(pipelines), [expected]);
    }
    assert!(mistakes(&[("a", "s3://lake/tables_raw/", "")]).is_empty());
    assert!(mistakes(&[("a", "s3://lake2/tables/", "")]).is_empty());
}

#[test]
fn lakes_are_equal_or_apart() {
    let pair =
        |lake: &str| mistakes(&[("a", "s3://raw/a/", ""), ("b", "s3://raw/b/", &format!("lake = '{lake}'"))]);
    assert!(pair("s3://lake/tables").is_empty() && pair("s3://lake/tables2/").is_empty());
    assert_eq!(pair("s3://lake/tables/b/"), ["11:8: the lake of `b` is inside the lake of `a`"]);
    assert_eq!(pair("s3://lake/"), ["5:8: the lake of `a` is inside the lake of `b`"]);
}

#[test]
fn specs_and_releases_are_no_source_objects() {
    let pipelines = |suffix| {
        format!(
            "[pipeline.a]\nsource = 's3://raw/a/'\nsuffix = '{suffix}'\nspec = 's3://raw/a/a.toml'\nlake = 's3://lake/'\n\
             [pipeline.b]\nsource = 's3://raw/b/'\nchannel = 'b'\nregistry = 's3://raw/a/releases'\ntrust = ['k']\nlake = 's3://lake/'\n"
        )
    };
    let found = |suffix| {
        let found = Config::parse(&pipelines(suffix), &origin()).expect_err("the registry");
        found.iter().map(|m| format!("{}: {}", m.line, m.message)).collect::<Vec<_>>()
    };
    let registry = "9: `a` would take s3://raw/a/releases/ for a source object";
    assert_eq!(found(".json"), [registry]);
    assert_eq!(found(".toml"), ["4: `a` would take s3://raw/a/a.toml for a source object", registry]);
}

#[test]
fn paths_start_at_the_configuration() {
    let at = |origin: &Origin| {
        let text = "[pipeline.a]\nsource = 'in/'\nspec = './specs/a.toml'\nlake = 's3://lake/'\n";
        let config = Config::parse(text, origin).unwrap();
        let Told::Spec { address } = &config.pipelines["a"].told else { panic!("no spec") };
        format!("{} {}", config.pipelines["a"].source.location, address)
    };
    assert_eq!(at(&origin()), "/etc/lakegate/in/ /etc/lakegate/specs/a.toml");
    let object = |key: &str| at(&Origin::Object { bucket: "conf".into(), key: key.into() });
    assert_eq!(object("prod/lakegate.toml"), "s3://conf/prod/in/ s3://conf/prod/specs/a.toml");
    assert_eq!(object("lakegate.toml"), "s3://conf/in/ s3://conf/specs/a.toml");
    let inline = Origin::Inline { text: String::new(), folder: "/var/task".into() };
    assert_eq!(at(&inline), "/var/task/in/ /var/task/specs/a.toml");
}

#[test]
fn a_host_finds_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let deployed = |variable: Option<&str>| found::deployed(variable, folder.path());
    let code = |variable| deployed(variable).map_err(|error| error.name().to_owned());
    assert_eq!(code(None), Err("config_missing".to_owned()));
    std::fs::write(&path, "").unwrap();
    assert_eq!(code(None), Ok(Origin::File(path.clone())));
    assert_eq!(code(Some("  ")), Ok(Origin::File(path)));
    let object = Origin::Object { bucket: "conf".into(), key: "a/b.toml".into() };
    assert_eq!(code(Some("s3://conf/a/b.toml")), Ok(object));
    assert_eq!(code(Some("/etc/x.toml")), Ok(Origin::File("/etc/x.toml".into())));
    assert_eq!(code(Some("x.toml")), Ok(Origin::File(folder.path().join("x.toml"))));
    for unfit in ["s3://conf/a/", "s3://conf", "s3://Conf/a.toml", "s3:/conf/a.toml", "S3://conf/a.toml"] {
        assert_eq!(code(Some(unfit)), Err("config_missing".to_owned()), "{unfit}");
    }
    for inline in ["pipeline.a.source = 's3://raw/a/'\nversion = 1", "[pipeline.a]"] {
        let folder = folder.path().to_owned();
        assert_eq!(code(Some(inline)), Ok(Origin::Inline { text: inline.into(), folder }));
    }
}

#[test]
fn a_command_finds_the_nearest_file_upwards() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::create_dir(folder.path().join("a/b").join(FILE_NAME)).unwrap();
    std::fs::write(folder.path().join(FILE_NAME), "").unwrap();
    assert_eq!(Config::find(&deep), Some(folder.path().join(FILE_NAME)), "a folder of that name is no file");
    std::fs::write(deep.join(FILE_NAME), "").unwrap();
    assert_eq!(Config::find(&deep), Some(deep.join(FILE_NAME)));
}

#[test]
fn a_refusal_names_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    std::fs::write(&path, "version = 2\n").unwrap();
    let error = Config::open(&path).unwrap_err();
    assert_eq!(error.name(), "config_invalid");
    let shown = error.to_string();
    for line in [":1:11: version 2", ":1:1: there is no pipeline"] {
        assert!(shown.contains(&format!("{}{line}", path.display())), "{shown}");
    }
    assert_eq!(Config::open(&folder.path().join("no.toml")).unwrap_err().name(), "not_found");
}

#[test]
fn a_part_file_arrives_where_its_pipeline_says_so() {
    let pipeline = |name: &str, lake: &str, catalog: &str| {
        format!(
            "[pipeline.{name}]\nsource = 's3://raw/{name}/'\nlake = 's3://lake/{lake}'\ntable = '{name}'\n\
             contract = 'learn'\ncatalog = {{ kind = 'crawler', {catalog} }}\n"
        )
    };
    let text = pipeline("a", "x/", "crawler = 'one', start = 'arrival'")
        + &pipeline("b", "x/", "crawler = 'one', start = 'arrival'")
        + &pipeline("c", "x/", "crawler = 'two', start = 'arrival'")
        + &pipeline("d", "y/", "crawler = 'three'");
    let config = Config::parse(&text, &Origin::File("/etc/lakegate.toml".into())).unwrap();
    let started = |key: &str| {
        let found = config.arrival("lake", key);
        found.into_iter().map(|one| format!("{} {}", one.pipeline.name, one.crawler)).collect::<Vec<_>>()
    };
    assert_eq!(started("x/t/day=1/p-1.parquet"), ["a one", "c two"]);
    for key in ["x/_lakegate/quarantine/a/l.parquet", "x/t/p.json", "y/t/p.parquet", "xt/p.parquet"] {
        assert_eq!(started(key), [""; 0], "{key}");
    }
    assert_eq!(config.arrival("raw", "x/t/p.parquet"), []);
    assert!(matches!(config.route("lake", "x/t/p.parquet"), Route::Loop { .. }), "nobody takes it");
}
