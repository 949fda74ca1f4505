//! From a version to a release that may be used: verified, compiled, tried on its own samples.
//!
//! Not for when to load (`follow`) nor for what to store (`publish`). Decisions to know:
//!
//! * A release is tried before it is used: it makes its samples again, and every part file must have the
//!   digest that its publisher signed. What this machine makes of them is then what every other one makes.
//! * A host that cannot wait for a compiler takes signed compiled code or none ([`Sandbox::that_never_compiles`]); a laptop compiles.

use crate::code::CodeKey;
use crate::error::with_repair;
use crate::fit::check_fits;
use crate::key::Trust;
use crate::manifest::Pinned;
use crate::manifest::{Blob, Manifest, Sample};
use crate::registry::Registry;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{Lake, sha256};
use lakegate_lake::record::{Receipt, ReleaseRecord};
use lakegate_lake::run::{Plan, preview};
use lakegate_lake::source::Source;
use lakegate_sandbox::{Sandbox, Transform};

/// A release that was verified and tried.
pub struct Release {
    /// Its signed facts.
    pub manifest: Manifest,
    /// Which it is.
    pub pinned: Pinned,
    /// What it is told.
    pub spec: String,
    /// What runs.
    pub transform: Transform,
}

impl Release {
    /// What to do with each object; the host's own wishes are added by whoever runs it. `sequence` is that
    /// of the channel document that picked it.
    ///
    /// # Errors
    /// The spec names no table.
    pub fn plan(&self, sequence: Option<u64>) -> Result<Plan> {
        let Manifest { name, version, .. } = &self.manifest;
        let record = ReleaseRecord {
            name: name.clone(),
            version: version.to_string(),
            manifest: self.pinned.manifest.clone(),
            sequence,
        };
        Ok(Plan::new(self.spec.clone(), None)?.by_release(record))
    }

    /// Refuses it where its types conflict with the live contracts of a lake, or its job cannot be opened at all.
    ///
    /// # Errors
    /// `release_conflicts`, with what conflicts; the storage's.
    pub fn check_fits(&self, lake: &Lake) -> Result<()> {
        check_fits(&self.id(), &self.transform, &self.plan(None)?, lake)
    }

    /// `orders@1.3.0`.
    pub fn id(&self) -> String {
        self.manifest.id()
    }
}

/// What it takes to load releases; clones share it.
#[derive(Clone)]
pub struct Loader {
    /// Where they are.
    pub registry: Registry,
    /// Who is believed.
    pub trust: Trust,
    /// Where they run.
    pub sandbox: Sandbox,
    /// Takes only releases whose spec declares every type.
    pub declared: bool,
    /// The lake that releases are to write to: one that conflicts with its tables does not take over.
    pub lake: Option<Lake>,
}

impl Loader {
    /// Loads a release by version.
    ///
    /// # Errors
    /// Whatever is wrong with it, each by its own code; see [`super`].
    pub fn load(&self, name: &str, version: &semver::Version) -> Result<Release> {
        let (manifest, pinned) = self.registry.manifest(name, version, &self.trust)?;
        self.load_manifest(manifest, pinned)
    }

    /// Loads a release that a channel names; one that is to write is judged by the tables of its lake.
    ///
    /// # Errors
    /// As [`Loader::load`]; `manifest_damaged`: another manifest is stored under that version; `release_conflicts`.
    pub fn load_pinned(&self, name: &str, wanted: &Pinned, writes: bool) -> Result<Release> {
        let (manifest, pinned) = self.registry.manifest(name, &wanted.version, &self.trust)?;
        if pinned != *wanted {
            let why = format!("the channel names the digest {}, not {}", wanted.manifest, pinned.manifest);
            return Err(super::error::damaged_manifest(&manifest.id(), why));
        }
        let release = self.load_manifest(manifest, pinned)?;
        if let Some(lake) = self.lake.as_ref().filter(|_| writes) {
            release.check_fits(lake)?;
        }
        Ok(release)
    }

    fn load_manifest(&self, manifest: Manifest, pinned: Pinned) -> Result<Release> {
        let id = manifest.id();
        let transform = self.transform(&manifest)?;
        let limits = manifest.limits.within(*self.sandbox.limits());
        let transform = transform.limited(limits);
        let spec = self.blob(&manifest, &manifest.spec, "spec")?;
        let spec = String::from_utf8(spec)
            .map_err(|_| super::error::damaged_manifest(&id, "its spec is not UTF-8 text"))?;
        let release = Release { manifest, pinned, spec, transform };
        if !release.plan(None)?.is_declared(&release.transform)? && self.declared {
            return Err(Error::new(Code::TypesOpen, format!("the spec of {id} leaves types to be learned"))
                .with_hint(
                    "declare every column and `mode = \"freeze\"` or \"discard\" in the spec, or say `contract = \
                     \"learn\"` for the pipeline",
                ));
        }
        for sample in &release.manifest.samples {
            self.try_sample(&release, sample)?;
        }
        Ok(release)
    }

    /// A blob of a release by what it is of it.
    fn blob(&self, manifest: &Manifest, blob: &Blob, what: &str) -> Result<Vec<u8>> {
        let found = self.registry.blob(blob, &format!("the {what} of {}", manifest.id()));
        found.map_err(|error| with_repair(error, &manifest.name))
    }

    /// The component, by compiled code that is here or signed, or compiled here where hosts may do that.
    fn transform(&self, manifest: &Manifest) -> Result<Transform> {
        let (id, Blob { digest, bytes }) = (manifest.id(), &manifest.component.blob);
        if let Some(known) = Transform::from_known_code(&self.sandbox, &id, *bytes, digest)? {
            return self.blob(manifest, &manifest.component.blob, "component").map(|_verified| known);
        }
        let key = CodeKey::of_target(None);
        // Both are read and hashed whole, and neither needs the other.
        let (component, code) = std::thread::scope(|scope| {
            let code = scope.spawn(|| self.registry.code(manifest, &key, &self.trust));
            (self.blob(manifest, &manifest.component.blob, "component"), code.join())
        });
        let panicked =
            |_| Err(Error::new(Code::Panic, format!("reading the compiled code of {id} panicked")));
        let (component, code) = (component?, code.unwrap_or_else(panicked));
        // SAFETY: a trusted key signed that these bytes are the compiled code of this component for exactly this
        // engine; who holds that key is trusted with what hosts run.
        let load =
            |code: Vec<u8>| unsafe { Transform::from_code(&self.sandbox, &id, &component, digest, &code) };
        match code.and_then(|code| code.map(load).transpose()) {
            Ok(Some(transform)) => Ok(transform),
            Ok(None) | Err(_) if self.sandbox.compiles() => {
                Transform::from_bytes(&self.sandbox, &id, &component)
            }
            Ok(None) => Err(Error::new(
                Code::CodeMissing,
                format!("{id} is not ready here: it has no compiled code for {key}"),
            )
            .with_hint(format!(
                "`lakegate precompile {id}` of the version of Lakegate that is deployed makes it"
            ))),
            Err(error) => Err(error),
        }
    }

    fn try_sample(&self, release: &Release, sample: &Sample) -> Result<()> {
        let id = release.id();
        let what = format!("the sample {} of {id}", sample.name);
        let input = self.registry.blob(&sample.input, &what);
        let input = input.map_err(|error| with_repair(error, &release.manifest.name))?;
        let made =
            make_sample(&release.transform, &release.plan(None)?, &sample.name, &input).map_err(|error| {
                let message = format!("{what} fails here: {error}");
                Error::new(Code::SampleFails, message).with_hint("it was made when the release was published")
            })?;
        if made == *sample {
            return Ok(());
        }
        let differs = made.outputs.iter().zip(&sample.outputs).find(|(made, wanted)| made != wanted);
        let place = differs.map_or_else(
            || format!("{} part files, not {}", made.outputs.len(), sample.outputs.len()),
            |(made, wanted)| {
                let place = format!("{}/{}", wanted.table, wanted.partition);
                format!("the part file in {place} has the digest {}, not {}", made.digest, wanted.digest)
            },
        );
        Err(Error::new(Code::SampleDiffers, format!("{what} came out otherwise here: {place}"))
            .with_hint("the release does not do here what it did where it was published; do not promote it"))
    }
}

/// What a release makes of a sample, without any contract from before.
pub(super) fn make_sample(transform: &Transform, plan: &Plan, name: &str, input: &[u8]) -> Result<Sample> {
    let stem = std::path::Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("sample");
    let source = Source::reader(input, stem)?;
    let made = preview(transform, &source, plan, None, &mut |_| {})?;
    let Receipt { outputs, .. } = made.receipt;
    Ok(Sample {
        name: name.into(),
        input: Blob { digest: sha256(input), bytes: input.len() as u64 },
        rejected: made.report.rejected,
        outputs,
    })
}
