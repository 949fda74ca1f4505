//! A hot swap under load: a few hundred objects while a hundred promotions and rollbacks go by.
//!
//! Not for what is refused (`release` has that beside its code). The decision to know: the channel is changed
//! much more often than anybody would, and hosts look much more often too, so that swaps fall into every place
//! of a run; what is asserted is only what holds however slow the machine is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lakegate_host::Error;
use lakegate_host::lake::Lake;
use lakegate_host::release::{
    Channel, Draft, Follower, Loader, Pinned, Promotion, Registry, SigningKey, Trust, publish,
};
use lakegate_host::run::{self, State};
use lakegate_host::sandbox::{Limits, Sandbox, Transform};
use lakegate_host::source::Source;
use lakegate_host::storage::LocalFolder;
use lakegate_tests::{lake_rows, ways};

const OBJECTS: usize = 300;
const CHANGES: usize = 100;
const WORKERS: usize = 3;
const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0", "1.2.0", "2.0.0"];

/// The same table under each version; who made a row is in it.
fn spec(version: &str) -> String {
    format!(
        "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
         [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n\
         [[table.derive]]\nname = \"made_by\"\nsql = \"'{version}'\"\n"
    )
}

struct Publisher {
    registry: Registry,
    key: SigningKey,
    trust: Trust,
    sandbox: Sandbox,
    releases: Vec<Pinned>,
}

impl Publisher {
    fn new(folder: &Path) -> Self {
        let registry = Registry::over(Arc::new(LocalFolder::new(folder).unwrap()));
        let key = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
        let (trust, sandbox) = (key.trust(), Sandbox::new(Limits::default()).unwrap());
        let component = Transform::shipped_bytes().unwrap();
        let publish = |version: &&str| {
            let draft = Draft {
                name: "orders".into(),
                version: version.parse().unwrap(),
                component: component.to_vec(),
                spec: spec(version),
                samples: vec![("sample.ndjson".into(), b"{\"id\":1}\n".to_vec())],
                targets: Vec::new(),
            };
            publish(&registry, &sandbox, &draft, &key).unwrap().pinned
        };
        let releases = VERSIONS.iter().map(publish).collect();
        Self { registry, key, trust, sandbox, releases }
    }

    /// The next change: two promotions, then a rollback, and so on.
    fn change(&self, number: usize) -> Channel {
        let change = |before: Option<&Channel>| {
            let next = match before.filter(|_| number % 3 == 2) {
                Some(before) => before.rollback("now")?.0,
                None => {
                    let release = self.releases[number * 7 % self.releases.len()].clone();
                    Channel::promote(before, "orders", release, Promotion::Stable, "now")?
                }
            };
            Ok((next, ()))
        };
        self.registry.change_channel("orders", &self.key, &self.trust, change).unwrap().0
    }

    fn loader(&self) -> Loader {
        Loader {
            registry: self.registry.clone(),
            trust: self.trust.clone(),
            sandbox: self.sandbox.clone(),
            strict: false,
            declared: true,
        }
    }
}

/// What an object began with.
struct Begun {
    sequence: u64,
    version: String,
    /// Documents that there were by then.
    newest: u64,
}

/// Takes an object, and once more as if its event came twice; the document and version that it began with.
fn twice(follower: &Follower, lake: &Lake, source: &Source) -> Result<(u64, String), Error> {
    let mut first = None;
    for wanted in [State::Made, State::NothingToDo] {
        let serving = follower.serving();
        let release = serving.pick(source.uri(), source.version());
        let plan = release.plan(Some(serving.sequence))?.deployed("orders");
        let outcome = run::run(lake, &release.transform, source, &plan, &mut |_| {})?;
        if outcome.state != wanted {
            return Err(Error::own("test", format!("{:?} instead of {wanted:?}", outcome.state)));
        }
        first.get_or_insert((serving.sequence, release.manifest.version.to_string()));
    }
    first.ok_or_else(|| Error::own("test", "it was not taken"))
}

#[test]
fn nothing_is_lost_or_doubled_while_releases_swap() {
    if ways::component().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for number in 0..OBJECTS {
        std::fs::create_dir_all(at("raw")).unwrap();
        std::fs::write(at(&format!("raw/{number:03}.ndjson")), format!("{{\"id\":{number}}}\n")).unwrap();
    }
    let publisher = Publisher::new(&at("registry"));
    let documents = Mutex::new(vec![publisher.change(0)]);
    let follower =
        Follower::start(publisher.loader(), "orders", 0).unwrap().looking_every(Duration::from_millis(2));
    let (next, begun, over) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()), AtomicBool::new(false));
    let (lake, failures) = (Lake::local(&at("lake")).unwrap(), Mutex::new(Vec::new()));
    let started = Instant::now();

    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=CHANGES {
                // Spread over the whole load: the next change when its share of objects has begun.
                while next.load(Ordering::Relaxed) < number * OBJECTS / (CHANGES + 1) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                documents.lock().unwrap().push(publisher.change(number));
            }
            over.store(true, Ordering::Relaxed);
        });
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= OBJECTS {
                        return;
                    }
                    let newest = documents.lock().unwrap().last().unwrap().sequence + 1;
                    let source = Source::file(&at(&format!("raw/{number:03}.ndjson"))).unwrap();
                    match twice(&follower, &lake, &source) {
                        Ok((sequence, version)) => {
                            let first = Begun { sequence, version, newest };
                            begun.lock().unwrap().insert(source.uri().to_string(), first);
                        }
                        Err(why) => failures.lock().unwrap().push(format!("{}: {why}", source.uri())),
                    }
                }
            });
        }
    });
    assert_eq!(failures.into_inner().unwrap(), Vec::<String>::new());
    assert!(over.load(Ordering::Relaxed));

    let (documents, begun) = (documents.into_inner().unwrap(), begun.into_inner().unwrap());
    assert_eq!(documents.len(), CHANGES + 1);
    assert_eq!(follower.trouble(), None);
    let commits = lake.commits().unwrap();
    assert_eq!(commits.len(), OBJECTS, "one commit an object");
    let mut by_version: BTreeMap<String, u64> = BTreeMap::new();
    for state in &commits {
        let (record, first) = (&state.record, &begun[&state.record.source.uri]);
        let release = record.release.as_ref().unwrap();
        assert!(state.done && record.generation == 1);
        assert_eq!((&release.version, release.sequence), (&first.version, Some(first.sequence)));
        let document = &documents[usize::try_from(first.sequence).unwrap() - 1];
        assert_eq!(document.stable.release.version.to_string(), release.version, "active in its document");
        assert_eq!(document.stable.release.manifest, release.manifest);
        assert!(first.sequence <= first.newest, "no document from the future");
        *by_version.entry(release.version.clone()).or_default() += 1;
    }
    let wanted: Vec<String> = {
        let mut wanted: Vec<String> = commits
            .iter()
            .map(|state| {
                let stem: usize = state.record.source.stem.parse().unwrap();
                format!("id={stem} made_by=\"{}\"", begun[&state.record.source.uri].version)
            })
            .collect();
        wanted.sort();
        wanted
    };
    assert_eq!(lake_rows::rows(&at("lake"), "orders"), wanted);
    assert!(by_version.len() > 1, "releases swapped: {by_version:?}");
    println!(
        "{OBJECTS} objects, {CHANGES} promotions and rollbacks, {} swaps, by version {by_version:?}, in {:.1} s",
        follower.swaps(),
        started.elapsed().as_secs_f64()
    );
}
