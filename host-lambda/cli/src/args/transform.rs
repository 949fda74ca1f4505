//! The transform that a verb uses, and with a release what it is told.

use crate::args::registry::{RegistryArg, name_and_version, registry_named};
use crate::cloud::Connection;
use crate::place::Place;
use clap::Args;
use lakegate_base::Error;
use lakegate_lake::Lake;
use lakegate_lake::run::Plan;
use lakegate_lake::source::Source;
use lakegate_release::{Follow, Follower, Listener, Loader, Release};
use lakegate_sandbox::{Limits, Sandbox, Transform};
use std::iter;
use std::path::PathBuf;
use std::sync::Arc;

/// The transform to use.
#[derive(Args, Clone, Debug, Default)]
pub struct TransformArg {
    /// Component to use instead of the one that ships in this command; with --registry the name of a release:
    /// what its channel picks, or NAME@VERSION
    #[arg(long, value_name = "FILE.wasm | NAME[@VERSION]")]
    pub transform: Option<PathBuf>,
    #[command(flatten)]
    pub registry: RegistryArg,
    /// Accept no channel document older than this one
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "registry")]
    pub min_sequence: u64,
    /// Accept this channel document although the lake's commits name later ones: the registry was restored
    #[arg(long, value_name = "NUMBER", requires = "registry")]
    pub accept_sequence: Option<u64>,
}

/// What is done with one source object.
pub struct Pick {
    pub transform: Transform,
    /// What it is told, if a release says it.
    pub plan: Option<Plan>,
    /// Runs beside, for a look.
    pub shadow: Option<Arc<Release>>,
}

/// The transform of a command, and with a release what it is told.
pub enum Chosen {
    /// A component; the command says what it is told.
    Component(Transform),
    /// One release, whatever its channel says.
    Release { release: Arc<Release>, loader: Box<Loader> },
    /// Whatever the channel picks for each object.
    Channel { follower: Follower },
}

impl Chosen {
    /// What is done with a source object now.
    ///
    /// # Errors
    /// The release's plan.
    pub fn of(&self, source: &Source, again: bool) -> Result<Pick, Error> {
        let (release, sequence, shadow) = match self {
            Self::Component(transform) => {
                return Ok(Pick { transform: transform.clone(), plan: None, shadow: None });
            }
            Self::Release { release, .. } => (release.clone(), None, None),
            Self::Channel { follower, .. } => {
                let serving = follower.serving();
                let release = serving.pick("", source.uri()).clone();
                let shadow = serving.shadow.filter(|shadow| shadow.pinned != release.pinned);
                (release, Some(serving.sequence), shadow)
            }
        };
        let mut plan = release.plan(sequence)?;
        plan.rerun = again;
        Ok(Pick { transform: release.transform.clone(), plan: Some(plan), shadow })
    }

    /// The follower of its channel, where it follows one.
    pub fn follower(&self) -> Option<&Follower> {
        match self {
            Self::Channel { follower, .. } => Some(follower),
            Self::Component(_) | Self::Release { .. } => None,
        }
    }

    /// The releases in use now, the one that takes most objects first; none where a component was chosen.
    pub fn releases(&self) -> Vec<Arc<Release>> {
        match self {
            Self::Component(_) => Vec::new(),
            Self::Release { release, .. } => vec![release.clone()],
            Self::Channel { follower, .. } => {
                let serving = follower.serving();
                iter::once(serving.stable).chain(serving.canary.map(|(release, _)| release)).collect()
            }
        }
    }

    /// What loads further releases of the same registry; none where a component was chosen.
    pub fn loader(&self) -> Option<&Loader> {
        match self {
            Self::Component(_) => None,
            Self::Release { loader, .. } => Some(loader),
            Self::Channel { follower, .. } => Some(follower.loader()),
        }
    }

    /// Digest of the component that is in use now.
    pub fn digest(&self) -> String {
        match self {
            Self::Component(transform) => transform.digest().into(),
            Self::Release { release, .. } => release.transform.digest().into(),
            Self::Channel { follower, .. } => follower.serving().stable.transform.digest().into(),
        }
    }

    /// Refuses what a release says already.
    ///
    /// # Errors
    /// A spec or a table is named beside a release.
    pub fn check_alone(&self, spec: Option<&Place>, table: Option<&str>) -> Result<(), Error> {
        if matches!(self, Self::Component(_)) || (spec.is_none() && table.is_none()) {
            return Ok(());
        }
        Err(Error::usage("a release has its spec and its tables inside")
            .with_hint("leave --spec and --table away, or --registry"))
    }
}

impl TransformArg {
    /// Whether anything of it was given.
    pub fn is_set(&self) -> bool {
        let Self { transform, registry, min_sequence, accept_sequence } = self;
        let registry = registry.registry.is_some() || !registry.trust.is_empty();
        transform.is_some() || registry || *min_sequence > 0 || accept_sequence.is_some()
    }

    /// Loads the component, also that of a release.
    ///
    /// # Errors
    /// It cannot be read, is no transform, or imports something; or the release is refused.
    pub fn load(&self) -> Result<Transform, Error> {
        Ok(match self.choose(None, None)? {
            Chosen::Component(transform) => transform,
            Chosen::Release { release, .. } => release.transform.clone(),
            Chosen::Channel { follower, .. } => follower.serving().stable.transform.clone(),
        })
    }

    /// Loads the component, the release, or follows the channel: for a lake that is written to, whose tables judge what
    /// takes over, with somebody who hears of it.
    ///
    /// # Errors
    /// As [`TransformArg::load`].
    pub fn choose(&self, lake: Option<&Lake>, listener: Option<Listener>) -> Result<Chosen, Error> {
        // A command ends, and with it a call that does not.
        self.choose_in(Sandbox::new(Limits::default())?.trusting_ours()?, lake, listener)
    }

    /// The same for a process that goes on: every guest's calls can be ended.
    ///
    /// # Errors
    /// As [`TransformArg::load`].
    pub fn choose_for_long(&self, lake: &Lake, listener: Listener) -> Result<Chosen, Error> {
        self.choose_in(Sandbox::new(Limits::default())?, Some(lake), Some(listener))
    }

    fn choose_in(
        &self,
        sandbox: Sandbox,
        lake: Option<&Lake>,
        listener: Option<Listener>,
    ) -> Result<Chosen, Error> {
        if self.registry.registry.is_none() && !self.registry.trust.is_empty() {
            return Err(Error::usage("--trust says whose releases count, and no --registry has any"));
        }
        let Some(place) = &self.registry.registry else {
            let transform = match &self.transform {
                Some(path) => Transform::from_file(&sandbox, path)
                    .map_err(|error| error.in_file(path.display().to_string())),
                None => Transform::shipped(&sandbox),
            };
            return transform.map(Chosen::Component);
        };
        let Some(named) = &self.transform else {
            return Err(Error::usage("no release is named").with_hint("--transform NAME, or NAME@VERSION"));
        };
        let (name, version) = name_and_version(&named.display().to_string())?;
        let registry = registry_named(place, &Connection::open()?)?;
        let trust = self.registry.trusted()?;
        if trust.is_empty() {
            return Err(Error::usage("no key is trusted")
                .with_hint("give --trust release.key.pub, the public key file of whoever publishes"));
        }
        let loader = Loader { registry, trust, sandbox, declared: false, lake: lake.cloned() };
        match version {
            Some(version) => loader
                .load(&name, &version)
                .map(|release| (Arc::new(release), Box::new(loader)))
                .map(|(release, loader)| Chosen::Release { release, loader }),
            None => Follower::start(loader, self.follow(name, lake, listener)?)
                .map(|follower| Chosen::Channel { follower }),
        }
    }

    fn follow(&self, name: String, lake: Option<&Lake>, listener: Option<Listener>) -> Result<Follow, Error> {
        let seen = lake.map_or(Ok(0), |lake| lake.seen_document(None, &name))?;
        let seen = seen.min(self.accept_sequence.unwrap_or(u64::MAX));
        Ok(Follow { name, floor: self.min_sequence, seen, listener })
    }
}
