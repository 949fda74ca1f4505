//! Publishes a release: checks it as a host would, runs its samples, stores and signs.
//!
//! Not for channels: a published release is used by nobody until it is promoted. The decision to know: the
//! manifest is the last thing written, after its blobs, its compiled code and its signature; so whatever a failure or a
//! kill leaves is never listed as a release, and publishing again completes it.

use crate::code::{CodeKey, CodeStatement};
use crate::key::SigningKey;
use crate::load::make_sample;
use crate::manifest;
use crate::manifest::Pinned;
use crate::manifest::{ComponentEntry, Manifest, ReleaseLimits, is_name};
use crate::registry::Registry;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::run::Plan;
use lakegate_lake::source::now_ms;
use lakegate_sandbox::{JobOptions, Sandbox, Transform, compile_for};

/// Bytes of one sample: each start of a host reads and runs all of them.
const SAMPLE_BYTES: usize = 4 << 20;
/// Samples of one release.
const SAMPLES: usize = 16;

/// What is to be published.
pub struct Draft {
    /// Name of the release.
    pub name: String,
    /// Version.
    pub version: semver::Version,
    /// The component.
    pub component: Vec<u8>,
    /// The spec.
    pub spec: String,
    /// Samples: name and bytes.
    pub samples: Vec<(String, Vec<u8>)>,
    /// Targets to compile for; none is legal.
    pub targets: Vec<String>,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The manifest.
    pub manifest: Manifest,
    /// Which it is.
    pub pinned: Pinned,
    /// False if exactly this release was there already.
    pub fresh: bool,
    /// Compiled code.
    pub code: Vec<CodeStatement>,
}

/// Publishes a release.
///
/// # Errors
/// The component, spec or a sample is refused; the version is taken; the storage's.
pub fn publish(registry: &Registry, sandbox: &Sandbox, draft: &Draft, key: &SigningKey) -> Result<Published> {
    let Draft { name, version, component, spec, samples, targets } = draft;
    check(draft)?;
    let transform = Transform::from_bytes(sandbox, &format!("{name}@{version}"), component)?;
    let description = transform.describe()?;
    let plan = Plan::new(spec.clone(), None)?;
    // A wrong spec is found here, with line and column, and not by the first object.
    try_spec(&transform, spec)?;
    let mut made = Vec::new();
    for (sample, input) in samples {
        made.push(make_sample(&transform, &plan, sample, input)?);
    }
    for (_, input) in samples {
        registry.put_blob(input)?;
    }
    let manifest = Manifest {
        kind: manifest::KIND.into(),
        name: name.clone(),
        version: version.clone(),
        published: rfc3339(now_ms()),
        component: ComponentEntry {
            blob: registry.put_blob(component)?,
            name: description.name,
            version: description.version,
            wit: transform.wit_version().into(),
        },
        spec: registry.put_blob(spec.as_bytes())?,
        tables: plan.tables().to_vec(),
        limits: ReleaseLimits::of(sandbox.limits()),
        samples: made,
        bundle: None,
    };
    let mut code = Vec::new();
    for target in targets {
        code.push(precompile(registry, &manifest, component, target, key)?);
    }
    let (pinned, fresh) = registry.put_manifest(&manifest, key)?;
    Ok(Published { manifest, pinned, fresh, code })
}

/// Opens a job and lets it agree with itself, as it does before the first byte of an object: what is wrong with a spec
/// shows here also where no sample is given.
fn try_spec(transform: &Transform, spec: &str) -> Result<()> {
    let options = JobOptions { spec: spec.to_owned(), ..JobOptions::default() };
    transform.open(options)?.step().map(drop)
}

/// Compiles a release for any machine of a target, with this build's engine.
///
/// # Errors
/// The compiler's, or the storage's.
pub fn precompile(
    registry: &Registry,
    manifest: &Manifest,
    component: &[u8],
    target: &str,
    key: &SigningKey,
) -> Result<CodeStatement> {
    let code = compile_for(target, component)?;
    registry.put_code(manifest, CodeKey::of_target(Some(target)), &code, key)
}

fn check(draft: &Draft) -> Result<()> {
    if !is_name(&draft.name) {
        let what = format!("{} cannot name a release", draft.name);
        return Err(Error::new(Code::ReleaseName, what)
            .with_hint("a-z first, then a-z, 0-9, - and _, at most 64 characters"));
    }
    if draft.spec.trim().is_empty() {
        return Err(Error::new(Code::SpecEmpty, "a release needs a spec that says what to make")
            .with_hint("`lakegate init SAMPLE > transform.toml` proposes one"));
    }
    if draft.samples.len() > SAMPLES {
        let what = format!("{} samples are more than {SAMPLES}", draft.samples.len());
        return Err(Error::new(Code::SamplesLimit, what).with_hint("every start of a host runs them all"));
    }
    for (name, bytes) in &draft.samples {
        if bytes.len() > SAMPLE_BYTES {
            let what = format!("the sample {name} has {} bytes, more than {SAMPLE_BYTES}", bytes.len());
            return Err(
                Error::new(Code::SamplesLimit, what).with_hint("cut it: a few hundred records tell as much")
            );
        }
    }
    Ok(())
}
