//! Releases and channels that are bad in some way: whom they hurt, what is said, and what mends them.
//!
//! Not for the good way (`releases.rs`), nor for what a host refuses one by one (beside the code of `release`). The
//! decision to know: everything goes through the command as a process, over a registry in a folder that is spoilt by hand.

use std::fs;
use std::path::{Path, PathBuf};

use lakegate_tests::command::{Ran, lakegate};
use lakegate_tests::serving::{Serving, until};
use lakegate_tests::{lake_rows, ways};
use serde_json::{Value, json};
use tempfile::TempDir;

const FIRST: &str = "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
    [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n\
    [[table.derive]]\nname = \"gross\"\nsql = \"id * 2\"\n";

const SIGNED: [&str; 6] = ["--registry", "releases", "--key", "release.key", "--trust", "release.key.pub"];
const TRUSTED: [&str; 4] = ["--registry", "releases", "--trust", "release.key.pub"];

/// A folder with a registry of 1.0.0, 1.1.0 (derives otherwise) and 2.0.0 (other types), 1.0.0 being stable.
struct Tried {
    folder: TempDir,
}

impl Tried {
    fn new() -> Option<Self> {
        ways::required()?;
        let tried = Self { folder: tempfile::tempdir().unwrap() };
        for (name, spec) in [
            ("1.0.0", FIRST.to_owned()),
            ("1.1.0", FIRST.replace("* 2", "* 3")),
            ("2.0.0", FIRST.replace("bigint", "string").replace("id * 2", "id || '2'")),
        ] {
            tried.write(&format!("{name}.toml"), &spec);
        }
        tried.write("sample.ndjson", "{\"id\":1}\n");
        for number in 1..=6 {
            tried.write(&format!("{number}.ndjson"), &format!("{{\"id\":{number}}}\n"));
        }
        tried.ok(&["keygen", "--out", "release.key"], &[]);
        for version in ["1.0.0", "1.1.0", "2.0.0"] {
            tried.publish(version, &SIGNED);
        }
        tried.promote(&["1.0.0"]);
        Some(tried)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn call(&self, args: &[&str], more: &[&str]) -> Ran {
        lakegate(self.folder.path(), &[args, more, &["--json"]].concat())
    }

    fn ok(&self, args: &[&str], more: &[&str]) -> Value {
        let ran = self.call(args, more);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran.json()
    }

    fn refused(&self, args: &[&str], more: &[&str]) -> String {
        let ran = self.call(args, more);
        assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
        ran.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    fn publish(&self, version: &str, key: &[&str]) {
        let spec = format!("{version}.toml");
        let args = ["publish", "orders", "--version", version, "--spec", &spec, "--sample", "sample.ndjson"];
        self.ok(&[&args[..], &["--no-code"]].concat(), key);
    }

    fn promote(&self, args: &[&str]) -> Value {
        self.ok(&[&["promote", "orders"], args].concat(), &SIGNED)
    }

    fn run(&self, file: &str) -> Ran {
        self.call(&["run", file, "--transform", "orders"], &TRUSTED)
    }

    fn listed(&self) -> Ran {
        self.call(&["releases", "orders", "--lake", "lake"], &TRUSTED)
    }

    /// Where the spec of a release lies.
    fn spec(&self, version: &str) -> PathBuf {
        let text =
            fs::read_to_string(self.path(&format!("releases/releases/orders/{version}.json"))).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        self.path("releases/blobs").join(manifest["spec"]["digest"].as_str().unwrap())
    }

    fn channel(&self) -> PathBuf {
        self.path("releases/channels/orders.json")
    }

    fn rows(&self) -> usize {
        lake_rows::rows(&self.path("lake"), "orders").len()
    }
}

#[test]
fn a_canary_or_shadow_that_cannot_be_used_hurts_nobody() {
    let Some(tried) = Tried::new() else { return };
    for (number, how) in [&["--canary", "50%"][..], &["--shadow"]].into_iter().enumerate() {
        tried.promote(&[&["1.1.0"], how].concat());
        let spec = tried.spec("1.1.0");
        let text = fs::read(&spec).unwrap();
        fs::write(&spec, "spoilt").unwrap();
        // A process that starts goes on with stable, and says what it goes on without, and why.
        let ran = tried.run(&format!("{}.ndjson", number + 1));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains("left_out") && ran.err.contains("blob_damaged"), "{}", ran.err);
        assert_eq!(tried.rows(), number + 1);
        let listed = tried.listed();
        assert_eq!(listed.code, Some(1), "what is spoilt is a finding: {listed:?}");
        assert_eq!(listed.json()["hosts"][0]["host"]["left_out"][0]["version"], "1.1.0", "{listed:?}");
        fs::write(&spec, text).unwrap();
        let end = if how.len() == 1 { "--end-shadow" } else { "--end-canary" };
        assert_eq!(tried.promote(&[end])["ended"], "1.1.0");
        assert_eq!(tried.refused(&["promote", "orders", end], &SIGNED), "release_missing");
        assert_eq!(tried.listed().code, Some(0));
    }
}

#[test]
fn a_host_that_runs_is_not_held_up_by_a_bad_canary() {
    let Some(tried) = Tried::new() else { return };
    let serving = Serving::start(
        tried.folder.path(),
        &[&["--transform", "orders", "--lake", "lake"][..], &TRUSTED].concat(),
    );
    let version = |name: &str| {
        let told = serving.upload(name, b"{\"id\":7}\n");
        assert_eq!(told["state"], "done", "{told}");
        let commits = serving.get("/api/commits");
        commits["commits"][0]["release"].as_str().unwrap().to_owned()
    };
    assert_eq!(version("a.ndjson"), "orders@1.0.0");
    // Its types conflict with the table that is there now: it takes no object, and the document is in use all the same.
    tried.promote(&["2.0.0", "--canary", "99.9%"]);
    tried.promote(&["1.1.0"]);
    let mut number = 0;
    until("the next stable release", || {
        number += 1;
        (version(&format!("b{number}.ndjson")) == "orders@1.1.0").then_some(())
    });
    // As stable it is refused by this lake: the one before stays, and uploads go on.
    tried.promote(&["2.0.0"]);
    for number in 0..20 {
        assert_eq!(version(&format!("c{number}.ndjson")), "orders@1.1.0");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let hosts = until("the host says so", || {
        let hosts = tried.listed().json()["hosts"].clone();
        version("d.ndjson");
        (hosts[0]["host"]["trouble"]["code"] == "release_conflicts").then_some(hosts)
    });
    assert_eq!(hosts[0]["host"]["stable"], "1.1.0", "{hosts}");
}

#[test]
fn a_shadow_runs_beside_by_hand_too() {
    let Some(tried) = Tried::new() else { return };
    tried.promote(&["1.1.0", "--shadow"]);
    for file in ["1.ndjson", "2.ndjson", "2.ndjson"] {
        assert_eq!(tried.run(file).code, Some(0));
    }
    let listed = tried.listed().json();
    assert_eq!(listed["shadows"], json!([{"version": "1.1.0", "objects": 2, "differ": 2}]), "{listed}");
    assert_eq!(listed["written"]["1.0.0"], json!({"objects": 2, "rows": 2, "rejected": 0, "failed": 0}));
}

#[test]
fn a_rollback_goes_only_where_hosts_can_follow() {
    let Some(tried) = Tried::new() else { return };
    assert_eq!(tried.run("1.ndjson").code, Some(0));
    tried.promote(&["1.1.0"]);
    let before = fs::read(tried.channel()).unwrap();
    let spec = tried.spec("1.0.0");
    let text = fs::read(&spec).unwrap();
    for (spoil, code) in [(Some("spoilt"), "blob_damaged"), (None, "blob_missing")] {
        match spoil {
            Some(spoilt) => fs::write(&spec, spoilt).unwrap(),
            None => fs::remove_file(&spec).unwrap(),
        }
        assert_eq!(tried.refused(&["rollback", "orders"], &SIGNED), code);
        let listed = tried.listed();
        assert_eq!((listed.code, fs::read(tried.channel()).unwrap() == before), (Some(1), true));
        assert_eq!(listed.json()["releases"][2]["refused"]["code"], code, "{listed:?}");
    }
    fs::write(&spec, text).unwrap();
    // Not what is in use: nothing is changed, also when the step is tried again.
    assert_eq!(tried.refused(&["rollback", "orders", "--expect", "1.0.0"], &SIGNED), "release_expected");
    let dry = tried.ok(&["rollback", "orders", "--dry-run"], &SIGNED);
    assert_eq!((&dry["stable"], fs::read(tried.channel()).unwrap() == before), (&json!("1.0.0"), true));
    let why = ["rollback", "orders", "--expect", "1.1.0", "--by", "ann", "--reason", "gross was wrong"];
    assert_eq!(tried.ok(&why, &SIGNED)["stable"], "1.0.0");
    assert_eq!(tried.refused(&why, &SIGNED), "release_expected", "the same step again");
    let past = tried.listed().json()["channel"]["history"][0].clone();
    assert_eq!((&past["by"], &past["reason"]), (&json!("ann"), &json!("gross was wrong")), "{past}");
    assert_eq!(tried.ok(&["rollback", "orders", "--to", "1.1.0"], &SIGNED)["stable"], "1.1.0");
}

#[test]
fn a_key_that_nobody_trusts_signs_nothing() {
    let Some(tried) = Tried::new() else { return };
    tried.ok(&["keygen", "--out", "other.key"], &[]);
    let before = fs::read(tried.channel()).unwrap();
    for trust in [&["--trust", "release.key.pub"][..], &[]] {
        let other = [&["--registry", "releases", "--key", "other.key"], trust].concat();
        for args in [&["promote", "orders", "1.1.0"][..], &["rollback", "orders"]] {
            assert_eq!(tried.refused(args, &other), "signer_untrusted");
        }
        let args = ["publish", "orders", "--version", "3.0.0", "--spec", "1.0.0.toml", "--no-code"];
        assert_eq!(tried.refused(&args, &other), "signer_untrusted");
        assert_eq!(tried.refused(&[&args[..], &["--first"]].concat(), &other), "registry_not_empty");
    }
    assert_eq!(fs::read(tried.channel()).unwrap(), before);
    assert!(!tried.path("releases/releases/orders/3.0.0.json").exists());
    // An empty registry is begun by whoever says so.
    let first = ["publish", "orders", "--version", "1.0.0", "--spec", "1.0.0.toml", "--no-code", "--first"];
    tried.ok(&first, &["--registry", "fresh", "--key", "other.key"]);
    // A further key signs what is there, and counts as the first.
    tried.ok(
        &["sign", "orders@1.1.0"],
        &["--registry", "releases", "--key", "other.key", "--trust", "release.key.pub"],
    );
    let diff = [
        "diff",
        "orders",
        "1.1.0",
        "1.1.0",
        "1.ndjson",
        "--registry",
        "releases",
        "--trust",
        "other.key.pub",
    ];
    assert_eq!(tried.ok(&diff, &[])["same"], true);
}

#[test]
fn an_older_document_is_not_taken_for_the_newest() {
    let Some(tried) = Tried::new() else { return };
    let old = fs::read(tried.channel()).unwrap();
    tried.promote(&["1.1.0"]);
    assert_eq!(tried.run("1.ndjson").code, Some(0));
    // The registry comes back from a copy.
    fs::write(tried.channel(), &old).unwrap();
    let ran = tried.run("2.ndjson");
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (Some(1), &json!("channel_replayed")), "{ran:?}");
    assert!(ran.err.contains("--accept-sequence 1"), "{}", ran.err);
    let accept = ["run", "2.ndjson", "--transform", "orders", "--accept-sequence", "1"];
    tried.ok(&accept, &TRUSTED);
    // Or its sequence goes on above what the lake has seen.
    let promoted = tried.ok(&["promote", "orders", "1.1.0", "--lake", "lake"], &SIGNED);
    assert_eq!(promoted["sequence"], 3);
    assert_eq!(tried.run("3.ndjson").code, Some(0));
    assert_eq!(tried.rows(), 3);
}

#[test]
fn what_failed_is_taken_again() {
    let Some(tried) = Tried::new() else { return };
    publish_one_that_rejects_all(&tried);
    tried.promote(&["3.0.0"]);
    for file in ["1.ndjson", "2.ndjson"] {
        assert_eq!(tried.run(file).code, Some(1));
    }
    let back = tried.ok(&["rollback", "orders", "--lake", "lake"], &SIGNED);
    assert_eq!(
        (&back["written"][0]["objects"], &back["written"][0]["failed"]),
        (&json!(0), &json!(2)),
        "{back}"
    );
    // The command that is printed takes them.
    let again: Vec<&str> = back["written"][0]["again"].as_str().unwrap().split(' ').skip(1).collect();
    let ran = tried.call(&again, &[]);
    assert_eq!((ran.code, tried.rows()), (Some(0), 2), "{again:?}: {ran:?}");
    assert_eq!(tried.ok(&["run", "--failed", "--lake", "lake"], &[])["inputs"], json!([]));
}

/// A release that rejects every record, published.
fn publish_one_that_rejects_all(tried: &Tried) {
    tried.write("3.0.0.toml", &format!("{FIRST}[[table.check]]\nname = \"none\"\nsql = \"id < 0\"\n"));
    let args = ["publish", "orders", "--version", "3.0.0", "--spec", "3.0.0.toml", "--no-code"];
    tried.ok(&args, &SIGNED);
}

#[test]
fn hosts_take_a_bad_canary_back_by_themselves() {
    let Some(tried) = Tried::new() else { return };
    publish_one_that_rejects_all(&tried);
    fs::create_dir(tried.path("many")).unwrap();
    for number in 0..60 {
        tried.write(&format!("many/{number}.ndjson"), "{\"id\":1}\n");
    }
    tried.promote(&["3.0.0", "--canary", "50%", "--abort-above", "failed=20%"]);
    // Three objects fail under it, then it takes none any more.
    let ran = tried.run("many");
    assert_eq!((ran.code, ran.json()["failed"].clone()), (Some(1), json!(3)), "{ran:?}");
    assert!(
        ran.err.contains("canary_aborted") && ran.err.contains("objects failed, more than 20%"),
        "{}",
        ran.err
    );
    assert_eq!(tried.rows(), 57);
    // Another host finds the mark before it gives the canary anything.
    let ran = tried.run("many");
    assert_eq!((ran.code, ran.json()["failed"].clone()), (Some(0), json!(0)), "{ran:?}");
    assert!(ran.err.contains("canary_aborted"), "{}", ran.err);
    assert_eq!(tried.rows(), 60);
    let listed = tried.listed();
    assert_eq!(listed.code, Some(1), "{listed:?}");
    assert_eq!(listed.json()["aborted"][0]["canary"]["release"], "orders@3.0.0", "{listed:?}");
    // Promoted anew it is tried anew.
    tried.promote(&["3.0.0", "--canary", "50%"]);
    assert_eq!(tried.listed().json()["aborted"], json!([]));
    let again =
        tried.call(&["run", "many", "--again", "--transform", "orders"], &TRUSTED).json()["failed"].clone();
    assert!(again.as_u64().unwrap() > 10, "{again}");
}

#[test]
fn a_canary_grows_by_its_steps() {
    let Some(tried) = Tried::new() else { return };
    for wrong in [
        &["--steps", "5%,100%"][..],
        &["--every", "1s"],
        &["--steps", "100%,5%", "--every", "1s"],
        &["--steps", "5%,100%", "--every", "1s", "--canary", "5%"],
        &["--abort-above", "failed=1%"],
    ] {
        let ran = tried.call(&[&["promote", "orders", "1.1.0"], wrong].concat(), &SIGNED);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {ran:?}");
    }
    tried.promote(&["1.1.0", "--steps", "0.1%,100%", "--every", "1s"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let ran = tried.run("1.ndjson");
    assert_eq!(ran.json()["sources"][0]["release"], "orders@1.1.0", "{ran:?}");
    assert_eq!(ran.json()["sources"][0]["document"], 2, "{ran:?}");
}

#[test]
fn a_server_takes_failed_uploads_again_when_it_is_asked() {
    let Some(tried) = Tried::new() else { return };
    tried.write("wrong.toml", &format!("{FIRST}[[table.check]]\nname = \"none\"\nsql = \"id < 0\"\n"));
    tried.write("spec.toml", &fs::read_to_string(tried.path("wrong.toml")).unwrap());
    // One that failed from elsewhere is not this server's to take.
    tried.call(&["run", "1.ndjson", "--spec", "wrong.toml", "--lake", "lake"], &[]);
    let serving = Serving::start(tried.folder.path(), &["--spec", "spec.toml", "--lake", "lake"]);
    for name in ["a.ndjson", "b.ndjson"] {
        assert_eq!(serving.upload(name, b"{\"id\":1}\n")["state"], "failed");
    }
    let failures = || serving.get("/api/failures")["failures"].as_array().unwrap().clone();
    let source = |name: &str| {
        let failures = failures();
        let mut uris = failures.iter().filter_map(|failed| failed["source"]["uri"].as_str());
        uris.find(|uri| uri.ends_with(name)).unwrap().to_owned()
    };
    let (b, elsewhere) = (source("b.ndjson"), source("1.ndjson"));
    tried.write("spec.toml", FIRST);
    let origin = format!("http://127.0.0.1:{}", serving.port);
    let ask = |query: &str, origin: &str| {
        serving.ask("POST", &format!("/api/failures{query}"), &[("Origin", origin)], b"")
    };
    assert_eq!(ask("", "http://evil.example").status, 403);
    assert_eq!(ask("?other=1", &origin).status, 400);
    let none = ask("?release=orders@1.0.0", &origin);
    assert_eq!((none.status, none.json()), (202, json!({"ids": [], "left": []})));
    let one = ask(&format!("?source={}", b.replace('/', "%2F")), &origin);
    let ids = one.json()["ids"].clone();
    assert_eq!((one.status, ids.as_array().unwrap().len()), (202, 1), "{one:?}");
    assert_eq!(serving.follow(ids[0].as_str().unwrap())["state"], "done");
    assert_eq!((failures().len(), tried.rows()), (2, 1));
    let all = ask("", &origin);
    assert_eq!((all.status, &all.json()["left"]), (202, &json!([elsewhere])), "{all:?}");
    let done = serving.follow(all.json()["ids"][0].as_str().unwrap());
    assert_eq!((&done["state"], &done["commit"]["release"]), (&json!("done"), &Value::Null), "{done}");
    assert_eq!((failures().len(), tried.rows()), (1, 2));
}

#[test]
fn a_failure_is_settled_where_the_rows_of_before_stand() {
    let Some(tried) = Tried::new() else { return };
    publish_one_that_rejects_all(&tried);
    assert_eq!(tried.run("1.ndjson").code, Some(0));
    tried.promote(&["3.0.0"]);
    assert_eq!(tried.run("1.ndjson").code, Some(1), "made anew, by a release that rejects it");
    tried.ok(&["rollback", "orders", "--lake", "lake"], &SIGNED);
    let again = ["run", "--failed", "--lake", "lake", "--transform", "orders"];
    assert_eq!(tried.ok(&again, &TRUSTED)["unchanged"], 1);
    assert_eq!((tried.ok(&again, &TRUSTED)["inputs"].clone(), tried.rows()), (json!([]), 1));
}

#[test]
fn the_configuration_is_refused_where_its_channel_would_be() {
    let Some(tried) = Tried::new() else { return };
    tried.write("4.0.0.toml", "[[table]]\nname = \"orders\"\n");
    let config = format!(
        "[pipeline.orders]\nsource = \"raw/\"\nlake = \"deployed/\"\nchannel = \"orders\"\n\
         registry = \"{}\"\ntrust = [\"release.key.pub\"]\n",
        tried.path("releases").display()
    );
    let check = |tried: &Tried| {
        tried.write("lakegate.toml", &config);
        let ran = tried.call(&["config", "check"], &[]);
        // Elsewhere the folder has no configuration.
        fs::remove_file(tried.path("lakegate.toml")).unwrap();
        let message = ran.json()["mistakes"][0]["message"].as_str().unwrap_or_default().to_owned();
        (ran.code, message)
    };
    assert_eq!(check(&tried), (Some(0), String::new()));
    // Its types are open, which the configuration does not want.
    tried.publish("4.0.0", &SIGNED);
    tried.promote(&["4.0.0"]);
    let (code, message) = check(&tried);
    assert!(
        code == Some(2) && message.contains("the channel orders cannot be followed"),
        "{code:?}: {message}"
    );
    tried.promote(&["1.0.0"]);
    fs::write(tried.spec("1.0.0"), "spoilt").unwrap();
    assert_eq!(check(&tried).0, Some(2));
}

#[test]
fn nothing_is_replayed_into_itself() {
    let Some(tried) = Tried::new() else { return };
    tried.run("1.ndjson");
    std::os::unix::fs::symlink(tried.path("lake"), tried.path("link")).unwrap();
    for into in ["lake", "./lake/", "link"] {
        let ran = tried
            .call(&["replay", "orders", "--release", "1.1.0", "--lake", "lake", "--into", into], &TRUSTED);
        assert_eq!(ran.code, Some(2), "{into}: {ran:?}");
    }
    assert!(exists_and_differs(&tried.path("lake")));
}

/// The lake is there, and holds the rows of 1.0.0 still.
fn exists_and_differs(lake: &Path) -> bool {
    let rows = lake_rows::rows(lake, "orders");
    rows.len() == 1 && format!("{rows:?}").contains('2')
}
