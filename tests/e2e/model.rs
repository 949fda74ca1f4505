//! The deployed flow against a model of a few lines: objects in, rows and notices out.
//!
//! For: random sequences of uploads, deliveries in any order and any number, processes that die at any
//! change, and two at once. Not for: the ways events look (`event` in the host). The decision to know: the
//! model knows only what a person expects. The newest version that is good counts, once; with `append`,
//! each good version counts, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use lakegate_base::Result;
use lakegate_lake::Sequencer;
use lakegate_lake::lake::{Lake, Surroundings};
use lakegate_lake::record::{CommitRecord, SourceRecord};
use lakegate_lake::run::{self, Plan};
use lakegate_lake::source::Source;
use lakegate_lake::storage::{LocalFolder, Storage};
use lakegate_sandbox::{Limits, Sandbox, Transform};
use lakegate_tests::dying::Dying;
use lakegate_tests::simulated::Chance;
use lakegate_tests::{lake_rows, ways};

/// Sequences of a test run; `LAKEGATE_MODEL_SEQUENCES` asks for more.
const SEQUENCES: u64 = 150;
/// Steps of a sequence.
const STEPS: u64 = 10;
const KEYS: u64 = 2;

/// One upload: which object, its place in the order of events, what it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    key: u64,
    number: u64,
    good: bool,
}

impl Version {
    fn text(&self) -> String {
        let (key, number) = (self.key, self.number);
        if !self.good {
            return format!("[{{\"id\":\"{key}-{number}\"}}, oops");
        }
        format!(
            "[{{\"id\":\"{key}-{number}-a\",\"day\":\"x\"}},{{\"id\":\"{key}-{number}-b\",\"day\":\"y\"}}]"
        )
    }

    fn rows(&self) -> [String; 2] {
        let (key, number) = (self.key, self.number);
        [format!("day=x id=\"{key}-{number}-a\""), format!("day=y id=\"{key}-{number}-b\"")]
    }

    fn file(&self) -> String {
        format!("{}/{}.json", self.key, self.number)
    }
}

/// Who is told when something is queryable: checks that it is.
struct Told {
    lake: std::path::PathBuf,
    notices: Mutex<BTreeSet<(String, u32)>>,
}

impl Surroundings for Told {
    fn published(
        &self,
        _lake: &Lake,
        record: &CommitRecord,
        _registered: serde_json::Value,
    ) -> Result<serde_json::Value> {
        let replaced = lake_rows_gone(&self.lake, record);
        assert!(
            replaced || record.parts.iter().all(|part| self.lake.join(&part.key).exists()),
            "told too early"
        );
        self.notices.lock().unwrap().insert((record.source.uri.clone(), record.generation));
        Ok(serde_json::Value::Null)
    }

    fn source(&self, record: &SourceRecord) -> Result<Source> {
        panic!("nothing vanishes from a folder, but {} was asked for", record.uri)
    }
}

/// A slow process may tell of what a later generation has replaced meanwhile; then all of it is gone.
fn lake_rows_gone(lake: &Path, record: &CommitRecord) -> bool {
    record.parts.iter().all(|part| !lake.join(&part.key).exists())
}

struct World<'a> {
    transform: &'a Transform,
    folder: tempfile::TempDir,
    told: Arc<Told>,
    plan: Plan,
}

impl World<'_> {
    fn lake_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("lake")
    }

    fn upload(&self, version: &Version) {
        let path = self.folder.path().join("raw").join(version.file());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, version.text()).unwrap();
    }

    /// One delivery of one event, by a process of its own; whatever it answers.
    fn deliver(&self, version: &Version, storage: Arc<dyn Storage>) {
        let raw: Arc<dyn Storage> = Arc::new(LocalFolder::new(&self.folder.path().join("raw")).unwrap());
        let facts = raw.stat(&version.file()).unwrap().unwrap();
        let sequencer = Sequencer::parse(&format!("{:04X}", version.number));
        let uri = format!("s3://raw/{}.json", version.key);
        let source = Source::object(raw, uri, facts).arrived(Some(0), sequencer);
        let lake = Lake::over(storage).within(self.told.clone());
        let _answer = run::run(&lake, self.transform, &source, &self.plan, &mut |_| {});
    }

    fn living(&self) -> Arc<dyn Storage> {
        Arc::new(LocalFolder::new(&self.lake_folder()).unwrap())
    }
}

fn expected(delivered: &BTreeSet<Version>, append: bool) -> Vec<String> {
    let mut newest: BTreeMap<u64, &Version> = BTreeMap::new();
    let mut rows = Vec::new();
    for version in delivered.iter().filter(|version| version.good) {
        if append {
            rows.extend(version.rows());
        } else {
            newest.insert(version.key, version); // versions come in ascending order
        }
    }
    rows.extend(newest.into_values().flat_map(Version::rows));
    rows.sort();
    rows
}

fn sequence(transform: &Transform, seed: u64) {
    let mut chance = Chance(seed);
    let append = chance.below(3) == 0;
    let spec = format!(
        "[output]\non_reupload = \"{}\"\n[[table]]\nname = \"t\"\npartition_by = [\"day\"]\n",
        if append { "append" } else { "replace" }
    );
    let folder = tempfile::tempdir().unwrap();
    let told = Arc::new(Told { lake: folder.path().join("lake"), notices: Mutex::default() });
    let plan = Plan::new(spec, None).unwrap().deployed("p");
    let world = World { transform, folder, told, plan };
    let (mut uploads, mut delivered): (Vec<Version>, BTreeSet<Version>) = (Vec::new(), BTreeSet::new());
    let mut log = Vec::new();
    for step in 0..STEPS {
        let what = if uploads.is_empty() { 0 } else { chance.below(6) };
        if what <= 1 {
            let good = chance.below(5) > 0;
            let version = Version { key: chance.below(KEYS), number: step + 1, good };
            world.upload(&version);
            log.push(format!("upload {version:?}"));
            uploads.push(version);
            continue;
        }
        let version = uploads[chance.below(uploads.len() as u64) as usize].clone();
        log.push(format!("{what}: deliver {version:?}"));
        match what {
            2 | 3 => world.deliver(&version, world.living()),
            4 => {
                let folder = LocalFolder::new(&world.lake_folder()).unwrap();
                let dying = Dying::new(folder, 1 + chance.below(14), chance.below(2) == 0);
                world.deliver(&version, Arc::new(dying));
            }
            _ => {
                let other = uploads[chance.below(uploads.len() as u64) as usize].clone();
                log.push(format!("beside it {other:?}"));
                std::thread::scope(|scope| {
                    scope.spawn(|| world.deliver(&other, world.living()));
                    world.deliver(&version, world.living());
                });
                delivered.insert(other);
            }
        }
        delivered.insert(version);
    }
    // At least once: what was begun comes again, in no order.
    for version in delivered.iter().rev() {
        world.deliver(version, world.living());
    }
    let rows =
        if world.lake_folder().exists() { lake_rows::rows(&world.lake_folder(), "t") } else { Vec::new() };
    assert_eq!(rows, expected(&delivered, append), "seed {seed}, append {append}: {log:#?}");
    let states = Lake::over(world.living()).commits().unwrap();
    assert!(states.iter().all(|state| state.done), "seed {seed}: a commit is not done: {log:#?}");
    let notices = world.told.notices.lock().unwrap();
    for state in &states {
        let notice = (state.record.source.uri.clone(), state.record.generation);
        assert!(notices.contains(&notice), "seed {seed}: nobody was told of {notice:?}: {log:#?}");
    }
}

#[test]
fn the_flow_does_what_the_model_says() {
    if ways::required().is_none() {
        return;
    }
    let transform = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()).unwrap();
    let asked = std::env::var("LAKEGATE_MODEL_SEQUENCES").ok().and_then(|text| text.parse().ok());
    let sequences = asked.unwrap_or(SEQUENCES);
    let first =
        std::env::var("LAKEGATE_MODEL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            clock.unwrap_or_default().as_secs() * 1_000_000
        });
    eprintln!("{sequences} sequences, seeds from {first} (LAKEGATE_MODEL_SEED repeats them)");
    for seed in first..first + sequences {
        sequence(&transform, seed);
    }
}
