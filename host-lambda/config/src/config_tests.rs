//! Whole texts: what they mean, and every mistake with its place.

use super::*;

pub(super) fn origin() -> Origin {
    Origin::File(PathBuf::from("/etc/lakegate/lakegate.toml"))
}

pub(super) fn parse(text: &str) -> Config {
    Config::parse(text, &origin()).unwrap()
}

/// `line:column: message; hint`.
pub(super) fn mistakes(text: &str) -> Vec<String> {
    let found = Config::parse(text, &origin()).expect_err("a mistake was expected");
    let hint = |hint: &Option<String>| hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    found.iter().map(|m| format!("{}:{}: {}{}", m.line, m.column, m.message, hint(&m.hint))).collect()
}

/// A pipeline that has all it needs, and `more` lines from line 5 on.
pub(super) fn with(more: &str) -> String {
    format!(
        "[pipeline.orders]\nsource = \"s3://raw/orders/\"\nspec = \"orders.toml\"\nlake = \"s3://lake/tables/\"\n{more}"
    )
}

const WHOLE: &str = r#"
version = 1

[defaults]
lake = "s3://lake/tables/"
contract = "learn"

[defaults.notify]
failure = "arn:aws:sns:eu-central-1:111122223333:failed"

[pipeline.orders]
source = "s3://raw/orders/"
suffix = [".json", ".json.gz"]
spec = "specs/orders.toml"
contract = "declared"
paused = true
[pipeline.orders.catalog]
kind = "glue"
database = "sales"
table_prefix = "lg_"
[pipeline.orders.catalog.projection.order_date]
type = "date"
range = ["2024-01-01", "NOW+1DAYS"]
unit = "DAYS"
[pipeline.orders.catalog.projection]
shard = { type = "integer", range = [0, 15], digits = 2 }
region = { type = "enum", values = ["eu", "us"] }
tenant = { type = "injected" }
[pipeline.orders.notify]
success = "arn:aws:sns:eu-central-1:111122223333:done"
quarantine = "arn:aws:sns:eu-central-1:111122223333:look"
quarantine_above = "1%"
[pipeline.orders.failed]
copy_to = "s3://failed/orders"
[pipeline.orders.output]
encryption = "sse-kms"
kms_key = "alias/lake"
storage_class = "STANDARD_IA"
[pipeline.orders.limits]
memory_bytes = "1 GiB"
object_seconds = 600
spill_bytes = 0
[pipeline.orders.lineage]
write_to = "s3://audit/openlineage/"

[pipeline.clicks]
source = "s3://raw/clicks-2025*"
table = "clicks"
catalog = { kind = "crawler", crawler = "clicks crawler", wait = 120 }

[pipeline.sales]
source = "./incoming/"
channel = "sales"
registry = "s3://releases"
trust = ["keys/release.key.pub", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
min_sequence = 7
key = "release.key"
lake = "../lake"
"#;

#[test]
fn a_whole_configuration_is_read() {
    let config = parse(WHOLE);
    assert_eq!(config.pipelines.keys().collect::<Vec<_>>(), ["clicks", "orders", "sales"]);
    let orders = &config.pipelines["orders"];
    assert_eq!(orders.at, At { line: 11, column: 11 });
    assert_eq!(orders.source.location.uri(), "s3://raw/orders/");
    assert_eq!(orders.source.suffixes, [".json", ".json.gz"]);
    let Told::Spec { address } = &orders.told else { panic!("{:?}", orders.told) };
    assert_eq!(address.uri(), "/etc/lakegate/specs/orders.toml");
    assert_eq!((orders.contract, orders.paused), (ContractWish::Declared, true));
    let Catalog::Glue { database, table_prefix, projection, quarantine } = &orders.catalog else { panic!() };
    assert_eq!(*quarantine, QuarantineTable::OfPipeline);
    assert_eq!((database.as_str(), table_prefix.as_str()), ("sales", "lg_"));
    let date = Projection::Date {
        from: "2024-01-01".into(),
        to: "NOW+1DAYS".into(),
        format: "yyyy-MM-dd".into(),
        interval: None,
        unit: Some(IntervalUnit::Days),
    };
    let shard = Projection::Integer { from: 0, to: 15, interval: None, digits: Some(2) };
    let region = Projection::Enum { values: vec!["eu".into(), "us".into()] };
    let expected =
        [("order_date", date), ("region", region), ("shard", shard), ("tenant", Projection::Injected)];
    assert_eq!(*projection, expected.map(|(name, one)| (name.to_owned(), one)).into());
    assert_eq!(orders.notify.quarantine_above, Above::Share(0.01));
    assert!(orders.notify.success.as_ref().is_some_and(|arn| arn.ends_with(":done")));
    assert!(orders.notify.failure.as_ref().is_some_and(|arn| arn.ends_with(":failed")), "a default");
    assert_eq!(orders.failed_copy.as_ref().map(Location::uri).as_deref(), Some("s3://failed/orders/"));
    assert_eq!(orders.output.encryption, Some(Encryption::Kms { key: Some("alias/lake".into()) }));
    let limits = orders.limits.sandbox(None);
    assert_eq!((limits.memory_bytes, limits.object_seconds), (1 << 30, 600));
    assert_eq!(limits.step_seconds, lakegate_sandbox::Limits::default().step_seconds);
    assert_eq!((orders.limits.spill_bytes, orders.limits.staging_bytes), (Some(0), None));
    assert_eq!(orders.lineage.as_ref().map(|l| l.write_to.uri()).as_deref(), Some("s3://audit/openlineage/"));

    let clicks = &config.pipelines["clicks"];
    assert_eq!(clicks.told, Told::Nothing);
    assert_eq!(clicks.lake.uri(), "s3://lake/tables/");
    assert_eq!(clicks.contract, ContractWish::Learn);
    let catalog = &clicks.catalog;
    assert!(
        matches!(catalog, Catalog::Crawler { crawler, wait: Wait::Seconds(120), .. } if crawler == "clicks crawler")
    );
    let sales = &config.pipelines["sales"];
    assert_eq!(sales.source.location.uri(), "/etc/lakegate/incoming/");
    assert_eq!(sales.lake, Location::Local("/etc/lake".into()));
    let registry = Location::S3 { bucket: "releases".into(), prefix: String::new() };
    let trust = vec![
        PublicKey::File(Address::Local("/etc/lakegate/keys/release.key.pub".into())),
        PublicKey::Inline("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into()),
    ];
    let key = Some(Address::Local("/etc/lakegate/release.key".into()));
    let told = Told::Channel {
        channel: "sales".into(),
        registry,
        trust,
        min_sequence: 7,
        accept_sequence: None,
        key,
    };
    assert_eq!(sales.told, told);
    assert_eq!((sales.catalog.kind(), sales.paused), ("none", false));
}

#[test]
fn a_key_is_found_again_where_it_stands() {
    let config = parse(WHOLE);
    let line = |key| config.pipelines["orders"].place(key).line;
    assert_eq!([line("spec"), line("lake"), line("catalog.database")], [14, 5, 19]);
    assert_eq!([line("notify.failure"), line("failed.copy_to"), line("registry")], [9, 34, 11]);
}

/// Lines after a pipeline that is whole otherwise, and the mistake in them.
const LINES: &[(&str, &str)] = &[
    ("sufix = '.json'", "5:1: `sufix` is no key of [pipeline.NAME]; did you mean `suffix`?"),
    (
        "partition_by = ['day']",
        "5:1: `partition_by` is no key of [pipeline.NAME]; it belongs into the spec: what a transform does is said there and only there",
    ),
    (
        "database = 'x'",
        "5:1: `database` is no key of [pipeline.NAME]; it belongs into [pipeline.NAME.catalog]",
    ),
    ("paused = 'yes'", "5:10: `paused` is true or false, not a string"),
    ("paused = 1", "5:10: `paused` is true or false, not an integer"),
    ("suffix = '*.json'", "5:10: a suffix is no pattern; write \".json\""),
    ("suffix = ['.json', '']", "5:20: an empty suffix ends every key; leave `suffix` away to take all keys"),
    ("suffix = ['.a', '.b', '.a']", "5:23: the suffix \".a\" is there twice"),
    ("suffix = ['.a', 5]", "5:17: `suffix` is a text in quotes, or a list of such texts, not an integer"),
    (
        "table = 'Orders'",
        "5:9: `Orders` is no name of a table; Athena wants lower-case letters, digits and `_`, at most 255",
    ),
    ("contract = 'lern'", "5:12: `contract` is one of \"learn\", \"declared\"; did you mean \"learn\"?"),
    (
        "channel = 'stable'\nregistry = 's3://releases/'",
        "5:11: `spec` and `channel` exclude each other; a channel picks a release, which has its spec inside: leave one of them away",
    ),
    ("registry = 's3://releases/'", "5:1: `registry` is of use with `channel` only"),
    ("trust = ['release.key.pub']", "5:1: `trust` is of use with `channel` only"),
    ("catalog = 'glue'", "5:11: `catalog` is a section, not a string"),
    (
        "catalog = { database = 'x' }",
        "5:1: a catalog needs its `kind`; write kind = \"glue\", \"crawler\" or \"none\"",
    ),
    (
        "catalog = { kind = 'glu', database = 'x' }",
        "5:20: `kind` is one of \"glue\", \"crawler\", \"none\"; did you mean \"glue\"?",
    ),
    ("catalog = { kind = 'glue' }", "5:1: a Glue catalog needs its `database`; write database = \"NAME\""),
    (
        "catalog = { kind = 'glue', database = 'my-db' }",
        "5:39: `my-db` is no name of a Glue database; Athena wants lower-case letters, digits and `_`, at most 255",
    ),
    ("catalog = { kind = 'crawler' }", "5:1: a crawler needs its name; write crawler = \"NAME\""),
    (
        "catalog = { kind = 'crawler', crawler = 'c', wait = 3600 }",
        "5:53: `wait` is from 1 to 900 seconds, not 3600; an invocation lasts 15 minutes at most",
    ),
    (
        "catalog = { kind = 'crawler', crawler = 'c', table_prefix = 'x' }",
        "5:46: `table_prefix` is of use with kind = \"glue\" only",
    ),
    ("catalog = { kind = 'none', wait = true }", "5:28: `wait` is of use with kind = \"crawler\" only"),
    (
        "[pipeline.orders.catalog]\nkind = 'glue'\ndatabase = 'x'\n[pipeline.orders.catalog.projection.day]\ntype = 'date'",
        "8:37: a date projection needs its `range`; write range = [\"2024-01-01\", \"NOW\"]",
    ),
    (
        "[pipeline.orders.catalog]\nkind = 'glue'\ndatabase = 'x'\nprojection.n = { type = 'integer', range = [9, 0] }",
        "8:44: `range` is two whole numbers, the smaller one first",
    ),
    (
        "[pipeline.orders.catalog]\nkind = 'glue'\ndatabase = 'x'\nprojection.d = { type = 'date', range = ['2024-01-01', 'NOW+'] }",
        "8:41: `range` is two dates in `format`, or NOW with an offset; write [\"2024-01-01\", \"NOW\"] or [\"NOW-3YEARS\", \"NOW+1DAYS\"]",
    ),
    (
        "[pipeline.orders.catalog]\nkind = 'glue'\ndatabase = 'x'\nprojection.d = { type = 'injected', digits = 2 }",
        "8:37: `digits` is of no use for a projection of this type",
    ),
    (
        "notify.success = 'arn:aws:sqs:eu-central-1:111122223333:q'",
        "5:18: this is no ARN of an SNS topic; it reads arn:aws:sns:REGION:ACCOUNT:TOPIC, with the account's twelve digits",
    ),
    ("notify.quarantine_above = '1%'", "5:8: `quarantine_above` is of use with a `quarantine` topic only"),
    (
        "notify = { quarantine = 'arn:aws:sns:eu-central-1:111122223333:q', quarantine_above = '101%' }",
        "5:87: this is neither a share nor a number of records; write \"1%\" or a number of records such as 100",
    ),
    ("[pipeline.orders.failed]", "5:18: [failed] needs `copy_to`; write copy_to = \"s3://BUCKET/PREFIX/\""),
    (
        "failed.copy_to = 's3://Failed/'",
        "5:18: `Failed` is no bucket name; 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
    ),
    ("output.kms_key = 'alias/x'", "5:8: `kms_key` is of use with encryption = \"sse-kms\" only"),
    (
        "output = { encryption = 'sse-s3', kms_key = 'alias/x' }",
        "5:35: `kms_key` is of use with encryption = \"sse-kms\" only",
    ),
    (
        "output = { encryption = 'sse-kms', kms_key = 'x' }",
        "5:46: this names no KMS key; write its ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), alias/NAME, or its id",
    ),
    (
        "output.storage_class = 'GLACIER'",
        "5:24: `storage_class` is one of \"STANDARD\", \"STANDARD_IA\", \"ONEZONE_IA\", \"INTELLIGENT_TIERING\", \"GLACIER_IR\"",
    ),
    ("limits.memory_bytes = '8 GiB'", "5:23: `memory_bytes` is from 64 MiB to 4 GiB, not 8 GiB"),
    (
        "limits.memory_bytes = 'much'",
        "5:23: this is no number of bytes; write 536870912, \"512 MiB\" or \"500 MB\"",
    ),
    (
        "limits.memory = '1 GiB'",
        "5:8: `memory` is no key of [pipeline.NAME.limits]; here are memory_bytes, step_seconds, object_seconds, output_bytes, parts, open_parts, quarantine_bytes, staging_bytes, spill_bytes, max_object_bytes",
    ),
    ("limits.step_seconds = 0", "5:23: `step_seconds` is from 1 to 900, not 0"),
    ("limits.parts = -1", "5:16: `parts` is from 1 to 1000000, not -1"),
    ("lineage.namespace = 'x'", "5:1: [lineage] needs `write_to`; write write_to = \"s3://BUCKET/PREFIX/\""),
    (
        "trigger = 'sns'",
        "5:11: `trigger` is one of \"sqs\", \"s3\", \"eventbridge\", \"step-functions\"; did you mean \"sqs\"?",
    ),
    ("max_concurrency = 1", "5:19: `max_concurrency` is from 2 to 1000, not 1"),
    ("expect_every = '1 minute'", "5:16: this is from 10 minutes to 90 days"),
    (
        "expect_every = 'daily'",
        "5:16: this is no span of time; write \"30 minutes\", \"6 hours\" or \"7 days\"",
    ),
    ("source_after = 'delete'", "5:16: `source_after` is one of \"keep\", \"tag\""),
    (
        "catalog = { kind = 'crawler', crawler = 'c', start = 'never' }",
        "5:54: `start` is one of \"published\", \"arrival\"",
    ),
    (
        "[stack]",
        "5:2: a stack needs its `name`; write name = \"my-lake\"; it begins the names of what is deployed",
    ),
    (
        "[stack]\nname = 'My lake'",
        "6:8: `My lake` is no name of a stack; lower-case letters, digits and `-`, at most 32, a letter first",
    ),
    (
        "[stack]\nname = 'a'\nlog_days = 10",
        "7:12: CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827 days",
    ),
    (
        "[stack]\nname = 'a'\nexisting = 'raw'",
        "1:11: the bucket raw is there already, and the trigger \"sqs\" of `orders` would replace what it notifies now; write trigger = \"eventbridge\" or \"step-functions\": EventBridge is switched on beside whatever a bucket notifies",
    ),
    (
        "[stack]\nname = 'a'\nkms_key = 'alias/lake'",
        "7:11: a stack names its key by ARN: policies take no alias; write arn:aws:kms:REGION:ACCOUNT:key/ID",
    ),
    ("[stack]\nname = 'a'\nemail = 'x'", "7:9: this is no address of e-mail; write \"team@example.com\""),
    (
        "[stack]\nname = 'a'\nvpc = { subnets = ['subnet-1'] }",
        "7:1: [stack.vpc] needs its `security_groups`; write security_groups = [\"sg-…\"]",
    ),
    ("lineage.write_to = ' s3://x/'", "5:20: there are blanks around it, or control characters in it"),
];

#[test]
fn a_line_of_mistakes_for_each_key() {
    for (more, expected) in LINES {
        assert_eq!(mistakes(&with(more)), [*expected], "{more}");
    }
}

#[test]
fn pipelines_that_are_whole_are_read_beside_mistakes() {
    let text = format!("{}[pipeline.other]\nsource = 's3://raw/other/'\n", with("pausd = true\n"));
    let Reading { config, mistakes } = Config::read(&text, &origin());
    assert_eq!(config.pipelines.keys().collect::<Vec<_>>(), ["orders"]);
    assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [5, 6, 6, 6]);
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = r#"version = 2
vesion = 1
[defaults]
lake = "s3://LAKE/"
[pipeline.a]
source = "s3://raw/a/"
spec = "a.toml"
[pipeline.b]
spec = "b.toml"
kind = "glue"
[pipeline."Ü"]
source = 5
contract = "learn"
"#;
    let expected = [
        "1:11: version 2 is not known: it is 1",
        "2:1: `vesion` is no key of the configuration; did you mean `version`?",
        "4:8: `LAKE` is no bucket name; 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit \
         at both ends",
        "8:11: `b` has no source; write source = \"s3://BUCKET/PREFIX/\"",
        "10:1: `kind` is no key of [pipeline.NAME]; it belongs into [pipeline.NAME.catalog]",
        "11:11: `Ü` has no spec that names its table; write table = \"NAME\"",
        "11:11: `Ü` is no name of a pipeline; lower-case letters, digits, `_` and `-`, at most 64, a letter or \
         digit first",
        "12:10: `source` is a text in quotes, not an integer",
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn broken_syntax_hides_only_what_it_breaks() {
    let text = "[pipeline.a]\nsource = s3://raw/a/\nspec = \"a.toml\"\nspec = \"b.toml\"\npausd = true\n\
                é = 1\n[pipeline.a]\nlake = 5\n";
    let expected = [
        "2:10: string values must be quoted, expected literal string",
        "4:1: `spec` is there twice",
        "5:1: `pausd` is no key of [pipeline.NAME]; did you mean `paused`?",
        "6:1: invalid unquoted key, expected letters, numbers, `-`, `_`",
        "7:11: `a` is there twice",
        "8:8: `lake` is a text in quotes, not an integer",
    ];
    assert_eq!(mistakes(text), expected);
    assert_eq!(mistakes("[pipeline.a")[..1], ["1:12: unclosed table, expected `]`"]);
    let array = mistakes("[[pipeline]]\nname = 'orders'\n");
    assert_eq!(array, ["1:3: pipelines have names; write [pipeline.orders] for [[pipeline]]"]);
    let empty = "1:1: there is no pipeline; write [pipeline.NAME] with a source and a lake";
    assert_eq!([mistakes(""), mistakes("version = 1\n[pipeline]\n")], [[empty], [empty]]);
}

#[test]
fn columns_count_characters() {
    let text = with("suffix = [\"日本\", \"é\", \"日本\"]\r\ntabel = 'x'\r\n");
    let expected = [
        "5:22: the suffix \"日本\" is there twice",
        "6:1: `tabel` is no key of [pipeline.NAME]; did you mean `table`?",
    ];
    assert_eq!(mistakes(&text), expected);
}

#[test]
fn a_pipeline_overrules_the_defaults() {
    let text = r#"
[defaults]
lake = "s3://lake/"
spec = "all.toml"
[defaults.catalog]
kind = "glue"
database = "sales"
[defaults.output]
encryption = "sse-kms"
kms_key = "alias/lake"
[pipeline.a]
source = "s3://raw/a/"
catalog.database = "other"
[pipeline.b]
source = "s3://raw/b/"
channel = "b"
registry = "s3://releases/"
trust = ["release.key.pub"]
catalog = { kind = "crawler", crawler = "b" }
output.encryption = "sse-s3"
[pipeline.c]
source = "s3://raw/c/"
catalog.kind = "none"
"#;
    let config = parse(text);
    let [a, b, c] = ["a", "b", "c"].map(|name| &config.pipelines[name]);
    assert!(matches!(&a.catalog, Catalog::Glue { database, .. } if database == "other"), "{:?}", a.catalog);
    assert_eq!((matches!(&a.told, Told::Spec { .. }), a.place("spec").line), (true, 4));
    assert_eq!(a.output.encryption, Some(Encryption::Kms { key: Some("alias/lake".into()) }));
    assert!(matches!(&b.told, Told::Channel { .. }), "{:?}", b.told);
    assert_eq!((b.catalog.kind(), c.catalog.kind()), ("crawler", "none"));
    assert_eq!(b.output.encryption, Some(Encryption::S3));
}

#[test]
fn what_a_pipeline_has_no_use_for_is_told_among_defaults_too() {
    let text = "[defaults.output]\nencryption = 'sse-s3'\nkms_key = 'alias/x'\n".to_owned() + &with("");
    assert_eq!(mistakes(&text), ["3:1: `kms_key` is of use with encryption = \"sse-kms\" only"]);
}

#[test]
fn nothing_to_do_must_be_meant() {
    let bare = "[pipeline.my-orders]\nsource = 's3://raw/orders/'\nlake = 's3://lake/'\n";
    let table = "1:11: `my-orders` has no spec that names its table; write table = \"my_orders\"";
    let spec = "1:11: `my-orders` has neither a spec nor a channel; write spec = \"my-orders.toml\", or contract = \
                \"learn\" and a table";
    assert_eq!(mistakes(bare), [spec, table]);
    assert_eq!(mistakes(&format!("{bare}contract = 'learn'")), [table]);
    assert_eq!(mistakes(&format!("{bare}table = 't'")), [spec]);
    assert_eq!(
        parse(&format!("{bare}table = 't'\ncontract = 'learn'")).pipelines["my-orders"].told,
        Told::Nothing
    );
    let channel = "1:11: a channel needs its `registry`; write registry = \"s3://BUCKET/PREFIX/\", where releases \
                   are published";
    let trust = "1:11: a channel needs `trust`: whose signatures count; write trust = [\"release.key.pub\"], the \
                 public key file that `lakegate keygen` made";
    assert_eq!(mistakes(&format!("{bare}channel = 'stable'")), [trust, channel]);
}

#[test]
fn glue_cannot_see_a_local_lake() {
    let local = with("catalog = { kind = 'glue', database = 'x' }").replace("s3://lake/tables/", "./lake");
    let local = local.replace("s3://raw/orders/", "./raw/");
    let expected = "1:11: the lake of `orders` is local, and Glue cannot see it; leave the catalog away, or write \
                    kind = \"none\"";
    assert_eq!(mistakes(&local), [expected]);
    assert!(Config::parse(&local.replace("'glue', database = 'x'", "'none'"), &origin()).is_ok());
}

/// What the function has less what the host takes of it, if that is less than what is asked for.
#[test]
fn a_guest_has_what_the_function_leaves_it() {
    let limits = PipelineLimits { memory_bytes: Some(1 << 30), ..PipelineLimits::default() };
    let guest_of = |function: u64| limits.sandbox(Some(function << 20)).memory_bytes >> 20;
    assert_eq!([4096, 1024, 512, 128].map(guest_of), [1024, 832, 320, 32]);
    assert_eq!(limits.sandbox(None).memory_bytes, 1 << 30);
}

#[test]
fn tables_of_a_pipeline_s_own_are_named_after_it() {
    let of = |catalog: &str| {
        let text = with(&format!("[pipeline.orders.catalog]\n{catalog}\n")).replace(".orders", ".web-orders");
        parse(&text).pipelines["web-orders"].clone()
    };
    let pipeline = of("kind = \"glue\"\ndatabase = \"sales\"\ntable_prefix = \"raw_\"");
    let tables = pipeline.history_tables().unwrap();
    let names = (&*tables.database, &*tables.loads, &*tables.failures);
    assert_eq!(names, ("sales", "raw_web_orders_loads", "raw_web_orders_failures"));
    assert_eq!(tables.rolled, "raw_web_orders_loads_rolled");
    assert_eq!(pipeline.glue_name("quarantine").as_deref(), Some("raw_web_orders_quarantine"));
    assert_eq!(of("kind = \"none\"").history_tables(), None);
}
