//! `lakegate serve`: uploads into a lake, what the page is told, and what is refused.
//!
//! Not for the page itself (its tests are in `web-demo`). The decision to know: the command runs as a process and
//! every request is bytes on a socket, so that nothing well-behaved stands between the test and the port.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lakegate_tests::command::lakegate;
use lakegate_tests::serving::{Serving, until};
use lakegate_tests::{lake_rows, ways};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const ORDERS: &str = "{\"id\":1,\"price\":2.5}\n{\"id\":2,\"price\":null}\n";
const SPEC: &str = "[output]\nmax_rejected = \"60%\"\n\
    [[table]]\nname = \"orders\"\n\
    [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n\
    [[table.column]]\nname = \"price\"\ntype = \"double\"\n";

/// A folder to work in; none where this build has no component.
fn folder() -> Option<TempDir> {
    ways::required()?;
    Some(tempfile::tempdir().unwrap())
}

/// The receipt of `lakegate preview`, and its digest as the page makes it.
fn previewed(folder: &Path, args: &[&str]) -> (Value, String) {
    let ran = lakegate(folder, &[&["preview"][..], args, &["--json"]].concat());
    let receipt = ran.json()["receipt"].clone();
    assert!(receipt.is_object(), "{ran:?}");
    let digest = hex::encode(Sha256::digest(receipt.to_string()));
    (receipt, digest)
}

/// All files of the lake but the locks of living processes.
fn files(lake: &Path) -> BTreeSet<String> {
    let entries =
        walkdir::WalkDir::new(lake).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let names = entries.map(|entry| entry.path().strip_prefix(lake).unwrap().display().to_string());
    names.filter(|name| !name.ends_with("lock")).collect()
}

fn commits(serving: &Serving) -> Vec<Value> {
    serving.get("/api/commits")["commits"].as_array().unwrap().clone()
}

#[test]
fn an_upload_becomes_what_its_preview_showed() {
    let Some(folder) = folder() else { return };
    let folder = folder.path();
    fs::write(folder.join("orders.ndjson"), ORDERS).unwrap();
    let (receipt, digest) = previewed(folder, &["orders.ndjson"]);
    let mut serving = Serving::start(folder, &[]);
    let about = serving.get("/api/about");
    assert_eq!((&about["component"], &about["spec"]), (&receipt["component"], &Value::Null));
    assert_eq!((&about["releases"], &about["upload"]), (&json!(false), &json!(true)));

    let told = serving.upload(&format!("orders.ndjson?receipt={digest}"), ORDERS.as_bytes());
    assert_eq!((&told["state"], &told["result"]), (&json!("done"), &json!("made")), "{told}");
    assert_eq!((&told["receipt"], &told["matches"]), (&receipt, &json!(true)), "{told}");
    assert_eq!((&told["promised"], &told["read"]), (&json!(digest), &told["total"]));
    assert_eq!(told["commit"]["tables"]["orders"]["rows"], 2);
    assert_eq!(lake_rows::rows(&folder.join("lake"), "orders"), ["id=1 price=2.5", "id=2"]);

    let again = serving.upload("orders.ndjson", ORDERS.as_bytes());
    assert_eq!((&again["result"], &again["matches"]), (&json!("nothing_to_do"), &Value::Null));
    let other = "{\"id\":3,\"price\":1.5}\n";
    let changed = serving.upload(&format!("orders.ndjson?receipt={digest}"), other.as_bytes());
    assert_eq!((&changed["result"], &changed["matches"]), (&json!("replaced"), &json!(false)), "{changed}");
    assert_eq!(changed["commit"]["generation"], 2);
    assert_eq!(lake_rows::rows(&folder.join("lake"), "orders"), ["id=3 price=1.5"]);
    assert_eq!(fs::read_to_string(folder.join("lake/_lakegate/raw/orders.ndjson")).unwrap(), other);

    let seen: Vec<_> = commits(&serving)
        .iter()
        .map(|c| {
            (c["name"].clone(), c["generation"].clone(), c["current"].clone(), c["as_previewed"].clone())
        })
        .collect();
    let name = json!("orders.ndjson");
    assert_eq!(
        seen,
        [(name.clone(), json!(2), json!(true), json!(false)), (name, json!(1), json!(false), json!(true))]
    );
    assert_eq!(serving.get("/api/commits?limit=1")["commits"].as_array().unwrap().len(), 1);
    let tables = serving.get("/api/tables")["tables"].clone();
    assert_eq!((&tables[0]["table"], &tables[0]["rows"]), (&json!("orders"), &json!(1)));
    assert_eq!(tables[0]["columns"][0], json!({"name": "id", "type": "bigint"}));
    let contracts = serving.get("/api/contracts")["tables"].clone();
    let text = contracts[0]["text"].as_str().unwrap();
    assert_eq!(contracts[0]["digest"], hex::encode(Sha256::digest(text)));
    assert_eq!(contracts[0]["digest"], receipt["contracts"]["orders"]);

    assert_eq!(serving.interrupt().code(), Some(0));
    // What was served is a lake like any other: the raw file run by hand has nothing to add.
    let raw = "lake/_lakegate/raw/orders.ndjson";
    assert_eq!(lakegate(folder, &["run", raw, "--json"]).json()["unchanged"], 1);
    assert!(lakegate(folder, &["status", "lake", raw]).out.contains("as previewed"));
    let fsck = lakegate(folder, &["fsck", "lake"]);
    assert!(fsck.code == Some(0) && fsck.out.contains("nothing to mend"), "{fsck:?}");
}

#[test]
fn specs_come_along_and_what_does_not_fit_shows() {
    let Some(folder) = folder() else { return };
    let folder = folder.path();
    let serving = Serving::start(folder, &[]);
    let kept = serving.ask("POST", "/api/specs", &[], SPEC.as_bytes());
    let spec = kept.json()["digest"].as_str().unwrap().to_owned();
    assert_eq!((kept.status, spec.clone()), (200, hex::encode(Sha256::digest(SPEC))));
    let stored = folder.join(format!("lake/_lakegate/specs/{spec}.toml"));
    assert_eq!(fs::read_to_string(stored).unwrap(), SPEC);

    let told = serving.upload(&format!("mixed.ndjson?spec={spec}"), b"{\"id\":\"x\"}\n{\"id\":2}\n");
    assert_eq!((&told["state"], &told["commit"]["rejected"]), (&json!("done"), &json!(1)), "{told}");
    assert_eq!(told["receipt"]["spec"], spec);
    let kept = serving.get("/api/quarantine");
    assert_eq!((&kept["total"], &kept["reasons"][0]["pipeline"]), (&json!(1), &json!("orders")), "{kept}");
    assert_eq!(
        (&kept["reasons"][0]["count"], &kept["reasons"][0]["path"]),
        (&json!(1), &json!("/id")),
        "{kept}"
    );
    let record = &kept["records"][0];
    assert_eq!((&record["record"], record["raw"].as_str().unwrap().trim()), (&json!(1), "{\"id\":\"x\"}"));
    assert!(record["source"].as_str().unwrap().ends_with("/_lakegate/raw/mixed.ndjson"), "{record}");
    assert_eq!(serving.get("/api/quarantine?limit=0")["records"], json!([]));

    let told = serving.upload(&format!("broken.json?spec={spec}"), b"[{\"id\":1},");
    assert_eq!((&told["state"], &told["commit"]), (&json!("failed"), &Value::Null), "{told}");
    assert_eq!(told["problem"]["fault"], "input");
    let failures = serving.get("/api/failures")["failures"].clone();
    assert_eq!((failures.as_array().unwrap().len(), &failures[0]["code"]), (1, &told["problem"]["code"]));

    // A spec for all: another one that is named is a conflict, and the file is read anew each time.
    drop(serving);
    fs::write(folder.join("transform.toml"), SPEC).unwrap();
    let serving = Serving::start(folder, &["--spec", "transform.toml"]);
    assert_eq!(serving.get("/api/about")["spec"], SPEC);
    let (_, digest) = previewed(folder, &["lake/_lakegate/raw/mixed.ndjson", "--spec", "transform.toml"]);
    let told = serving
        .upload(&format!("mixed.ndjson?spec={spec}&receipt={digest}"), b"{\"id\":\"x\"}\n{\"id\":2}\n");
    assert_eq!((&told["result"], &told["matches"]), (&json!("nothing_to_do"), &json!(true)), "{told}");
    fs::write(folder.join("transform.toml"), format!("{SPEC}filter = \"id > 5\"\n")).unwrap();
    let conflict = serving.ask("PUT", &format!("/api/raw/mixed.ndjson?spec={spec}"), &[], b"{}");
    assert_eq!(conflict.problem(), (409, "spec_differs".into()));
    fs::write(folder.join("transform.toml"), SPEC.replace("60%", "70%")).unwrap();
    assert_eq!(serving.upload("mixed.ndjson", b"{\"id\":\"x\"}\n{\"id\":2}\n")["commit"]["reason"], "spec");
}

#[test]
fn what_is_refused_leaves_nothing() {
    let Some(folder) = folder() else { return };
    let serving = Serving::start(folder.path(), &[]);
    let lake = folder.path().join("lake");
    let _made = serving.upload("orders.ndjson", ORDERS.as_bytes());
    let before = files(&lake);
    let put = |target: &str, headers: &[(&str, &str)]| serving.ask("PUT", target, headers, b"{}").problem();

    let evil = ("Origin", "https://evil.example");
    for headers in [&[evil][..], &[("Origin", "null")], &[("Sec-Fetch-Site", "cross-site")]] {
        assert_eq!(put("/api/raw/a.json", headers), (403, "origin_foreign".into()));
        let spec = serving.ask("POST", "/api/specs", headers, b"x = 1");
        assert_eq!(spec.problem(), (403, "origin_foreign".into()));
    }
    let preflight = serving.ask("OPTIONS", "/api/raw/a.json", &[evil], b"");
    assert!(preflight.status == 403 && !preflight.head.contains("access-control"), "{preflight:?}");
    let host = format!("evil.example:{}", serving.port);
    for target in ["/", "/api/about", "/api/commits"] {
        let foreign = serving.ask("GET", target, &[("Host", &host)], b"");
        assert_eq!(foreign.problem(), (403, "host_foreign".into()));
    }
    assert_eq!(put("/api/raw/a.json", &[("Host", &host)]).0, 403);
    assert_eq!(serving.raw(b"GET /api/about HTTP/1.0\r\n\r\n").unwrap().status, 403, "no host at all");

    for name in ["..%2fevil", "%2e%2e", "%2Fetc%2Fx", "a%5cb", "a%00", ".x", "_x", "", "a/b", "../x"] {
        let (status, code) = put(&format!("/api/raw/{name}"), &[]);
        assert_eq!((status, code.as_str()), (400, "name_refused"), "{name}");
    }
    assert_eq!(put("/api/raw/a%ff", &[]), (400, "path_refused".into()));
    assert_eq!(put("/api/raw/a.json?spec=../x", &[]), (400, "digest_refused".into()));
    assert_eq!(put(&format!("/api/raw/a.json?spec={}", "a".repeat(64)), &[]), (404, "spec_unknown".into()));
    assert_eq!(put("/api/raw/a.json?other=1", &[]), (400, "parameter_refused".into()));
    assert_eq!(put("/api/tables", &[]), (405, "method_not_allowed".into()));
    for target in ["/api/none", "/api/uploads/none", "/../../etc/passwd", "/%2e%2e/x", "//etc/passwd"] {
        let reply = serving.ask("GET", target, &[], b"");
        assert_eq!(reply.status, 404, "{target}: {reply:?}");
    }
    assert_eq!(files(&lake), before);
}

#[test]
fn a_body_that_is_too_large_or_cut_short_leaves_nothing() {
    let Some(folder) = folder() else { return };
    let serving = Serving::start(folder.path(), &[]);
    let lake = folder.path().join("lake");
    let _made = serving.upload("orders.ndjson", ORDERS.as_bytes());
    let before = files(&lake);
    let large = serving.ask("POST", "/api/specs", &[], &vec![b'#'; (1 << 20) + 1]);
    assert_eq!(large.problem(), (413, "spec_too_large".into()));
    assert_eq!(serving.ask("POST", "/api/specs", &[], b" \n").problem().1, "spec_empty");
    assert_eq!(serving.ask("POST", "/api/specs", &[], &[0xff]).problem().1, "spec_not_utf8");

    // Larger than it may be, by what it says; cut short; cut short in pieces; and gone without a word.
    let head = |more: &str| {
        format!(
            "PUT /api/raw/half.json HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1:{}\r\n{more}\r\n\r\n",
            serving.port
        )
    };
    let huge = serving.raw(head("Content-Length: 5368709121").as_bytes()).unwrap();
    assert_eq!(huge.problem(), (413, "upload_too_large".into()));
    let body = "x".repeat(200_000);
    for half in [
        format!("{}{body}", head("Content-Length: 300000")),
        format!("{}5\r\nhello\r\n5\r\nhe", head("Transfer-Encoding: chunked")),
        head("Content-Length: 5"),
    ] {
        assert!(serving.cut(half.as_bytes()).is_none_or(|reply| reply.status == 400));
    }
    until("the cut ones to be gone", || (files(&lake) == before).then_some(()));
    // What is left of a body belongs to no upload.
    let short = serving.raw(format!("{}{{}}{{}}", head("Content-Length: 2")).as_bytes()).unwrap();
    assert_eq!(short.status, 202);
    let _through = serving.follow(short.json()["id"].as_str().unwrap());
    let uploads = fs::read_dir(lake.join("_lakegate/uploads")).unwrap().count();
    assert_eq!(uploads, 0);
    assert_eq!(fs::read_to_string(lake.join("_lakegate/raw/half.json")).unwrap(), "{}");
}

#[test]
fn the_page_is_sent_with_its_policy() {
    let Some(folder) = folder() else { return };
    let folder = folder.path();
    let site = folder.join("site");
    fs::create_dir_all(site.join("assets")).unwrap();
    let html = "<head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; connect-src 'self'\" />";
    fs::write(site.join("index.html"), html).unwrap();
    fs::write(site.join("assets/worker-1.js"), "1").unwrap();
    fs::write(folder.join("secret.txt"), "secret").unwrap();
    std::os::unix::fs::symlink(folder.join("secret.txt"), site.join("secret.txt")).unwrap();
    let bucket = "https://b.s3.eu-central-1.amazonaws.com";
    let serving = Serving::start(folder, &["--page", "site", "--upload-to", bucket]);
    let policy = format!("default-src 'none'; connect-src 'self' {bucket}");
    for target in ["/", "/index.html", "/assets/worker-1.js"] {
        let reply = serving.ask("GET", target, &[], b"");
        assert_eq!((reply.status, reply.header("content-security-policy")), (200, Some(policy.as_str())));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{target}");
        }
        assert!(!reply.head.contains("access-control"), "{reply:?}");
        let head = serving.ask("HEAD", target, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(serving.ask("POST", target, &[], b"").problem().0, 405);
    }
    let index = serving.ask("GET", "/", &[], b"");
    assert_eq!(
        String::from_utf8(index.body).unwrap(),
        html.replace("connect-src 'self'", &format!("connect-src 'self' {bucket}"))
            .replace("<head>", "<head>\n    <meta name=\"lakegate-serve\" content=\"1\" />")
    );
    let asset = serving.ask("GET", "/assets/worker-1.js", &[], b"");
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    for target in ["/secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt"] {
        assert_eq!(serving.ask("GET", target, &[], b"").problem(), (404, "unknown_path".into()), "{target}");
    }
    let wrong = lakegate(folder, &["serve", "--upload-to", "https://a.example/path", "--json"]);
    assert_eq!((wrong.code, &wrong.json()["error"]["fault"]), (Some(2), &json!("usage")));

    // The page of the command itself, where this build has it; and a clear word where it has none.
    let serving = Serving::start(folder, &[]);
    let plain = serving.ask("GET", "/", &[], b"");
    if serving.began["page"] == json!(true) {
        let text = String::from_utf8(plain.body.clone()).unwrap();
        let policy = plain.header("content-security-policy").unwrap().to_owned();
        assert!(text.to_ascii_lowercase().contains(&format!("content=\"{policy}\"")), "{text}");
        let packed = serving.ask("GET", "/", &[("Accept-Encoding", "gzip, br")], b"");
        assert_eq!((packed.header("content-encoding"), &packed.body[..2]), (Some("gzip"), &[0x1f, 0x8b][..]));
        let script =
            text.split('"').find(|word| word.starts_with("./assets/") && word.ends_with(".js")).unwrap();
        let script = serving.ask("GET", &script[1..], &[], b"");
        assert_eq!((script.status, script.header("content-security-policy")), (200, Some(policy.as_str())));
    } else {
        assert_eq!(plain.problem(), (404, "no_page".into()));
        assert!(plain.json()["problem"]["hint"].as_str().unwrap().contains("cargo xtask build"));
    }
}

#[test]
fn a_table_tells_its_columns_and_those_in_the_path() {
    let Some(folder) = folder() else { return };
    let serving = Serving::start(folder.path(), &[]);
    let table = "name = \"orders\"\n";
    let spec = SPEC.replace(table, &format!("{table}partition_by = [\"day\"]\n"));
    let kept = serving.ask("POST", "/api/specs", &[], spec.as_bytes()).json();
    let target = format!("a.ndjson?spec={}", kept["digest"].as_str().unwrap());
    let told = serving.upload(&target, b"{\"id\":1,\"price\":2.5,\"day\":\"mon\"}\n");
    assert_eq!(told["state"], "done", "{told}");
    let table = serving.get("/api/tables")["tables"][0].clone();
    let column = |name: &str, ty: &str| json!({"name": name, "type": ty});
    assert_eq!(table["columns"], json!([column("id", "bigint"), column("price", "double")]), "{table}");
    assert_eq!(table["partition_by"], json!([column("day", "string")]), "{table}");
}

#[test]
fn uploads_at_once_all_land() {
    let Some(folder) = folder() else { return };
    let serving = Serving::start(folder.path(), &[]);
    let body = |number: u64| format!("{{\"id\":{number},\"price\":0.5}}\n").repeat(2000);
    let told: Vec<Value> = std::thread::scope(|scope| {
        // Two files, and two versions of a third.
        let uploads =
            [("a.ndjson", 1), ("b.ndjson", 2), ("c.ndjson", 3), ("c.ndjson", 4)].map(|(name, number)| {
                let serving = &serving;
                scope.spawn(move || serving.upload(name, body(number).as_bytes()))
            });
        uploads.map(|upload| upload.join().unwrap()).to_vec()
    });
    assert!(told.iter().all(|told| told["state"] == "done"), "{told:?}");
    let mut results: Vec<&str> = told.iter().map(|told| told["result"].as_str().unwrap()).collect();
    results.sort_unstable();
    assert_eq!(results, ["made", "made", "made", "replaced"]);
    assert_eq!(commits(&serving).iter().filter(|commit| commit["current"] == json!(true)).count(), 3);
}

#[test]
fn an_accepted_upload_outlives_the_server() {
    let Some(folder) = folder() else { return };
    let folder = folder.path();
    let body = ORDERS.repeat(20_000);
    fs::write(folder.join("orders.ndjson"), &body).unwrap();
    let (_, digest) = previewed(folder, &["orders.ndjson"]);
    for name in ["orders.ndjson", "more.ndjson"] {
        let serving = Serving::start(folder, &[]);
        let target = format!("/api/raw/{name}?receipt={digest}");
        assert_eq!(serving.ask("PUT", &target, &[], body.as_bytes()).status, 202);
        drop(serving); // killed
    }
    let serving = Serving::start(folder, &[]);
    let done = until("both to be taken", || {
        let commits = commits(&serving);
        (commits.iter().filter(|commit| commit["done"] == json!(true)).count() == 2).then_some(commits)
    });
    let of = |name: &str| done.iter().find(|commit| commit["name"] == name).unwrap()["as_previewed"].clone();
    // The second one is another table, so it is not what was previewed; but the promise was kept with it.
    assert_eq!((of("orders.ndjson"), of("more.ndjson")), (json!(true), json!(false)));
}

#[test]
fn the_port_is_taken_once_and_given_back() {
    let Some(folder) = folder() else { return };
    let mut serving = Serving::start(folder.path(), &[]);
    let port = serving.port.to_string();
    let second = lakegate(folder.path(), &["serve", "--port", &port, "--json"]);
    assert_eq!(
        (second.code, &second.json()["error"]["code"]),
        (Some(1), &json!("port_in_use")),
        "{second:?}"
    );
    assert!(second.json()["error"]["hint"].as_str().unwrap().contains("--port"));
    // A connection that is open and says nothing does not hold the server up.
    let _idle = std::net::TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(serving.interrupt().code(), Some(0));
}

/// A registry with two releases that differ in their spec; the first is promoted.
fn publish_two(folder: &Path) {
    fs::write(folder.join("sample.ndjson"), "{\"id\":1,\"price\":2}\n").unwrap();
    let ok = |args: &[&str]| {
        let ran = lakegate(folder, args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    };
    let signed = ["--registry", "releases", "--key", "release.key", "--trust", "release.key.pub"];
    ok(&["keygen", "--out", "release.key"]);
    for (version, share) in [("1.0.0", "60%"), ("1.1.0", "70%")] {
        fs::write(folder.join("orders.toml"), SPEC.replace("60%", share)).unwrap();
        let publish =
            ["publish", "orders", "--version", version, "--spec", "orders.toml", "--sample", "sample.ndjson"];
        ok(&[&publish[..], &["--no-code"], &signed].concat());
    }
    ok(&[&["promote", "orders", "1.0.0"][..], &signed].concat());
}

#[test]
fn a_release_is_verified_and_a_spoilt_one_is_refused() {
    let Some(folder) = folder() else { return };
    let folder = folder.path();
    publish_two(folder);
    let trusted =
        ["--registry", "releases", "--transform", "orders", "--trust", "release.key.pub", "--lake", "lake"];
    let serving = Serving::start(folder, &trusted);
    let about = serving.get("/api/about");
    assert_eq!((&about["releases"], &about["spec"]), (&json!(true), &json!(SPEC)));
    assert_eq!(
        (&about["release"]["name"], &about["release"]["version"]),
        (&json!("orders"), &json!("1.0.0"))
    );
    let listed = serving.get("/api/releases");
    assert_eq!(
        (listed["releases"].as_array().unwrap().len(), &listed["refused"]),
        (2, &json!([])),
        "{listed}"
    );
    assert_eq!(listed["channels"][0]["stable"], "1.0.0");
    let component = serving.ask("GET", "/api/releases/orders/1.0.0/component", &[], b"");
    assert_eq!((component.status, component.header("content-type")), (200, Some("application/wasm")));
    assert_eq!(hex::encode(Sha256::digest(&component.body)), about["component"]);
    let spec = serving.ask("GET", "/api/releases/orders/1.0.0/spec", &[], b"");
    assert_eq!(String::from_utf8(spec.body).unwrap(), SPEC);

    let told = serving.upload("orders.ndjson", ORDERS.as_bytes());
    assert_eq!(told["state"], "done", "{told}");
    assert_eq!(commits(&serving)[0]["release"], "orders@1.0.0");
    let other = serving.ask("PUT", &format!("/api/raw/x.json?spec={}", "a".repeat(64)), &[], b"{}");
    assert_eq!(other.problem(), (409, "spec_differs".into()));

    // The spec of the other release is spoilt where it lies: whatever asks for it is told so.
    let digest = hex::encode(Sha256::digest(SPEC.replace("60%", "70%")));
    fs::write(folder.join("releases/blobs").join(digest), "[[table]]\nname = \"evil\"\n").unwrap();
    let listed = serving.get("/api/releases");
    assert_eq!(listed["releases"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["refused"][0]["version"], "1.1.0");
    assert_eq!(listed["refused"][0]["problem"]["code"], "blob_damaged", "{listed}");
    for what in ["component", "spec"] {
        let reply = serving.ask("GET", &format!("/api/releases/orders/1.1.0/{what}"), &[], b"");
        assert_eq!(reply.problem(), (422, "blob_damaged".into()));
    }
    let tricky = serving.ask("GET", "/api/releases/..%2f..%2fblobs/1.0.0/spec", &[], b"");
    assert_eq!(tricky.problem(), (400, "usage".into()));
    assert_eq!(serving.ask("GET", "/api/releases/orders/9.0.0/spec", &[], b"").status, 404);
    let named =
        ["serve", "--registry", "releases", "--transform", "orders@1.1.0", "--trust", "release.key.pub"];
    let refused = lakegate(folder, &[&named[..], &["--port", "0", "--json"]].concat());
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (Some(1), &json!("blob_damaged")));
}

#[test]
fn the_page_is_told_what_is_followed_and_what_ran_beside() {
    let Some(folder) = folder() else { return };
    let folder = folder.path();
    publish_two(folder);
    let trusted = ["--registry", "releases", "--trust", "release.key.pub"];
    let serving =
        Serving::start(folder, &[&["--transform", "orders", "--lake", "lake"][..], &trusted].concat());
    let told = serving.get("/api/following");
    let document = |told: &Value| (told["serving"]["sequence"].clone(), told["document"]["sequence"].clone());
    assert_eq!((&told["serving"]["stable"], document(&told)), (&json!("1.0.0"), (json!(1), json!(1))));
    assert_eq!((&told["events"], &told["refused"], &told["hosts"]), (&json!([]), &Value::Null, &json!([])));
    assert_eq!(serving.get("/api/shadows")["shadows"], json!([]));

    let promoted = lakegate(
        folder,
        &[&["promote", "orders", "1.1.0", "--shadow", "--key", "release.key"][..], &trusted].concat(),
    );
    assert_eq!(promoted.code, Some(0), "{promoted:?}");
    let told = until("the shadow", || {
        let told = serving.get("/api/following");
        (told["serving"]["shadow"] == "1.1.0").then_some(told)
    });
    let newest = &told["events"][0];
    assert_eq!((&newest["what"], &newest["sequence"]), (&json!("swapped"), &json!(2)), "{told}");
    assert_eq!((&newest["at"], &newest["number"]), (&told["serving"]["since"], &json!(2)), "{told}");

    let told = serving.upload("orders.ndjson", ORDERS.as_bytes());
    let by = (json!("orders@1.0.0"), json!(2));
    assert_eq!((told["commit"]["release"].clone(), told["commit"]["document"].clone()), by, "{told}");
    let listed = &commits(&serving)[0];
    assert_eq!((listed["release"].clone(), listed["document"].clone()), by);
    assert_eq!(serving.get("/api/about")["document"], 2);
    assert_eq!(serving.get("/api/following")["hosts"][0]["pipeline"], "serve");
    assert_eq!(serving.get("/api/shadows")["shadows"], json!([{"name": "orders", "version": "1.1.0"}]));
    let beside = serving.get("/api/shadows/orders/1.1.0");
    let report = &beside["reports"][0];
    assert_eq!((&report["same"], &report["shadow"]), (&json!(true), &json!("orders@1.1.0")), "{beside}");
    assert_eq!(serving.get("/api/shadows/orders/1.0.0"), json!({"reports": [], "next": null}));
    assert_eq!(serving.ask("GET", "/api/shadows/..%2f..%2fraw/1.1.0", &[], b"").status, 400);
}
