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

use lakegate_base::{Code, Error};
use lakegate_lake::lake::Lake;
use lakegate_lake::run::{self, State};
use lakegate_lake::source::Source;
use lakegate_lake::storage::LocalFolder;
use lakegate_release::{
    Back, Channel, Draft, Follow, Follower, Loader, Pinned, Promotion, Registry, SigningKey, Trust, publish,
};
use lakegate_sandbox::{Limits, Sandbox, Transform};
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
                Some(before) => before.rollback(&Back::default(), "now")?.0,
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
            declared: true,
            lake: None,
        }
    }
}

/// Takes an object, and once more as if its event came twice; the document and version that it began with.
fn twice(follower: &Follower, lake: &Lake, source: &Source) -> Result<(u64, String), Error> {
    let mut first = None;
    for wanted in [State::Made, State::NothingToDo] {
        let serving = follower.serving();
        let release = serving.pick("orders", source.uri());
        let plan = release.plan(Some(serving.sequence))?.deployed("orders");
        let outcome = run::run(lake, &release.transform, source, &plan, &mut |_| {})?;
        if outcome.state != wanted {
            return Err(Error::new(Code::Invariant, format!("{:?} instead of {wanted:?}", outcome.state)));
        }
        first.get_or_insert((serving.sequence, release.manifest.version.to_string()));
    }
    first.ok_or_else(|| Error::new(Code::Invariant, "it was not taken"))
}

#[test]
fn nothing_is_lost_or_doubled_while_releases_swap() {
    if ways::required().is_none() {
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
    let follower = Follower::start(publisher.loader(), Follow { name: "orders".into(), ..Follow::default() })
        .unwrap()
        .looking_every(Duration::from_millis(2));
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
                    let source = Source::file(&at(&format!("raw/{number:03}.ndjson"))).unwrap();
                    match twice(&follower, &lake, &source) {
                        Ok(first) => drop(begun.lock().unwrap().insert(source.uri().to_string(), first)),
                        Err(why) => failures.lock().unwrap().push(format!("{}: {why}", source.uri())),
                    }
                }
            });
        }
    });
    assert_eq!(failures.into_inner().unwrap(), Vec::<String>::new());
    assert!(over.load(Ordering::Relaxed));

    let (documents, begun) = (documents.into_inner().unwrap(), begun.into_inner().unwrap());
    assert_eq!((documents.len(), follower.trouble()), (CHANGES + 1, None));
    let by_version = check_commits(&lake, &documents, &begun);
    let number = |uri: &str| Path::new(uri).file_stem().unwrap().to_str().unwrap().parse::<usize>().unwrap();
    let row =
        |(uri, (_, version)): (&String, &(u64, String))| format!("id={} made_by=\"{version}\"", number(uri));
    let mut wanted: Vec<String> = begun.iter().map(row).collect();
    wanted.sort();
    assert_eq!(lake_rows::rows(&at("lake"), "orders"), wanted);
    assert!(by_version.len() > 1, "releases swapped: {by_version:?}");
    println!(
        "{OBJECTS} objects, {CHANGES} promotions and rollbacks, {} swaps, by version {by_version:?}, in {:.1} s",
        follower.swaps(),
        started.elapsed().as_secs_f64()
    );
}

/// One commit an object, each by the release that was active in the document that the object began under; how
/// many by version.
fn check_commits(
    lake: &Lake,
    documents: &[Channel],
    begun: &BTreeMap<String, (u64, String)>,
) -> BTreeMap<String, u64> {
    let commits = lake.commits().unwrap();
    assert_eq!(commits.len(), OBJECTS, "one commit an object");
    let mut by_version: BTreeMap<String, u64> = BTreeMap::new();
    for state in &commits {
        let record = &state.record;
        let (release, (sequence, version)) = (record.release.as_ref().unwrap(), &begun[&record.source.uri]);
        assert!(state.done && record.generation == 1);
        assert_eq!((&release.version, release.sequence), (version, Some(*sequence)));
        let stable = &documents[usize::try_from(*sequence).unwrap() - 1].stable.release;
        assert_eq!((&stable.version.to_string(), &stable.manifest), (&release.version, &release.manifest));
        *by_version.entry(release.version.clone()).or_default() += 1;
    }
    by_version
}
