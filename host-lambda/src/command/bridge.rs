//! From arguments to the library underneath: lake, transform, spec, sources, and its errors.
//!
//! For: what several subcommands need before they begin. Not for: running anything. The decision to
//! know: an error of the library is turned into a [`Error`] here and nowhere else, so that the same
//! failure reads the same from every command.

use super::files;
use super::problem;
use super::release::{Connection, RegistryArg, name_and_version, registry_named};
use crate::error::{Code, Error, Fault, Fault as GuestFault, Kind};
use crate::lake::Lake;
use crate::release::{Follower, Loader, Release};
use crate::run::Plan;
use crate::sandbox::{Limits, Sandbox, Transform};
use crate::source::{Source, default_table};
use clap::Args;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The lake to work on.
#[derive(Args, Clone, Debug)]
pub struct LakeArg {
    /// Folder of the lake
    #[arg(long, value_name = "DIR", default_value = "lake")]
    pub lake: PathBuf,
}

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
}

/// The transform of a command, and with a release what it is told.
pub enum Chosen {
    /// A component; the command says what it is told.
    Component(Transform),
    /// One release, whatever its channel says.
    Release { release: Arc<Release>, loader: Box<Loader>, _alive: Connection },
    /// Whatever the channel picks for each object.
    Channel { follower: Follower, _alive: Connection },
}

impl Chosen {
    /// The transform for a source object, and the plan if a release has one.
    ///
    /// # Errors
    /// The release's plan.
    pub fn of(&self, source: &Source, again: bool) -> Result<(Transform, Option<Plan>), Error> {
        let (transform, plan) = match self {
            Self::Component(transform) => return Ok((transform.clone(), None)),
            Self::Release { release, .. } => (release.transform.clone(), release.plan(None)),
            Self::Channel { follower, .. } => {
                let serving = follower.serving();
                let release = serving.pick(source.uri(), source.version());
                (release.transform.clone(), release.plan(Some(serving.sequence)))
            }
        };
        let mut plan = plan?;
        plan.rerun = again;
        Ok((transform, Some(plan)))
    }

    /// The releases in use now, the one that takes most objects first; none where a component was chosen.
    pub fn releases(&self) -> Vec<Arc<Release>> {
        match self {
            Self::Component(_) => Vec::new(),
            Self::Release { release, .. } => vec![release.clone()],
            Self::Channel { follower, .. } => {
                let serving = follower.serving();
                iter::once(serving.stable).chain(serving.canary.map(|(canary, _)| canary)).collect()
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
    pub fn check_alone(&self, spec: Option<&Path>, table: Option<&str>) -> Result<(), Error> {
        if matches!(self, Self::Component(_)) || (spec.is_none() && table.is_none()) {
            return Ok(());
        }
        Err(Error::usage("a release has its spec and its tables inside")
            .with_hint("leave --spec and --table away, or --registry"))
    }
}

impl LakeArg {
    /// Opens the lake, which need not exist yet.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(&self) -> Result<Lake, Error> {
        open_lake(&self.lake)
    }

    /// Opens a lake that must exist.
    ///
    /// # Errors
    /// There is no such folder, or it holds no lake.
    pub fn existing(&self) -> Result<Lake, Error> {
        existing_lake(&self.lake)
    }
}

/// Opens the lake in `folder`, which need not exist yet.
pub fn open_lake(folder: &Path) -> Result<Lake, Error> {
    if folder.is_file() {
        return Err(Error::new(Code::NotAFolder, "a lake is a folder, and this is a file")
            .in_file(folder.display().to_string()));
    }
    Lake::local(folder).map_err(|error| error.in_file(folder.display().to_string()))
}

/// Opens the lake in `folder`, which must hold one: reading must not make an empty lake out of a typing error.
pub fn existing_lake(folder: &Path) -> Result<Lake, Error> {
    if !crate::keys::is_lake(folder) {
        let message = if folder.is_dir() { "this folder holds no lake" } else { "there is no lake here" };
        return Err(Error::new(Code::NoLake, message)
            .with_hint("`lakegate run INPUT --lake DIR` makes one; another lake is named with its folder")
            .in_file(folder.display().to_string()));
    }
    open_lake(folder)
}

impl TransformArg {
    /// Loads the component, also that of a release.
    ///
    /// # Errors
    /// It cannot be read, is no transform, or imports something; or the release is refused.
    pub fn load(&self) -> Result<Transform, Error> {
        Ok(match self.choose()? {
            Chosen::Component(transform) => transform,
            Chosen::Release { release, .. } => release.transform.clone(),
            Chosen::Channel { follower, .. } => follower.serving().stable.transform.clone(),
        })
    }

    /// Loads the component, the release, or follows the channel.
    ///
    /// # Errors
    /// As [`TransformArg::load`].
    pub fn choose(&self) -> Result<Chosen, Error> {
        let sandbox = Sandbox::new(Limits::default())?;
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
        let connection = Connection::open()?;
        let registry = registry_named(place, &connection.aws)?;
        let trust = self.registry.trusted()?;
        if trust.is_empty() {
            return Err(Error::usage("no key is trusted")
                .with_hint("give --trust release.key.pub, the public key file of whoever publishes"));
        }
        let loader = Loader { registry, trust, sandbox, strict: false, declared: false };
        match version {
            Some(version) => loader
                .load(&name, &version)
                .map(|release| (Arc::new(release), Box::new(loader)))
                .map(|(release, loader)| Chosen::Release { release, loader, _alive: connection }),
            None => Follower::start(loader, &name, self.min_sequence)
                .map(|follower| Chosen::Channel { follower, _alive: connection }),
        }
    }
}

/// The text of a spec, or the empty text when there is none.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub fn read_spec(path: Option<&Path>) -> Result<String, Error> {
    let Some(path) = path else { return Ok(String::new()) };
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Error::io(&name, error))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Code::SpecNotUtf8, "the spec is not UTF-8 text").in_file(&*name))?;
    if text.trim().is_empty() {
        // The empty text means "propose one" underneath; an empty file was hardly meant so.
        return Err(Error::new(Code::SpecEmpty, "the spec is empty")
            .with_hint("`lakegate init INPUT > transform.toml` proposes one; or leave --spec away")
            .in_file(name));
    }
    Ok(text)
}

/// What to do with each source: one plan for all, or one a source where the stem names the table.
pub struct Plans {
    shared: Option<Plan>,
    spec: String,
    spec_path: Option<PathBuf>,
    again: bool,
}

impl Plans {
    /// Plans for the spec at `path` (none: propose) and the table named beside it. `again` makes a next
    /// generation even when nothing changed.
    ///
    /// # Errors
    /// The spec cannot be read, or it conflicts with `table`.
    pub fn new(path: Option<&Path>, table: Option<&str>, again: bool) -> Result<Self, Error> {
        Self::of_text(read_spec(path)?, path, table, again)
    }

    /// The same for a spec whose text is known already; `path` is for messages.
    ///
    /// # Errors
    /// The spec conflicts with `table`.
    pub fn of_text(
        spec: String,
        path: Option<&Path>,
        table: Option<&str>,
        again: bool,
    ) -> Result<Self, Error> {
        let shared = match Plan::new(spec.clone(), table.map(str::to_owned)) {
            Ok(mut plan) => {
                plan.rerun = again;
                Some(plan)
            }
            Err(error) if error.code() == Code::TableMissing => None,
            Err(error) => return Err(problem::in_input_or_spec(error, "", path)),
        };
        Ok(Self { shared, spec, spec_path: path.map(Path::to_owned), again })
    }

    /// The plan for `source`.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of(&self, source: &Source) -> Result<Plan, Error> {
        if let Some(plan) = &self.shared {
            return Ok(plan.clone());
        }
        let mut plan = Plan::new(self.spec.clone(), Some(default_table(source.stem())))
            .map_err(|error| problem::in_input_or_spec(error, "", self.spec_path.as_deref()))?;
        plan.rerun = self.again;
        Ok(plan)
    }

    /// Whether each source's stem names its table.
    pub fn by_stem(&self) -> bool {
        self.shared.is_none()
    }
}

/// One input as the command line means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, and its length in bytes when the command line was read.
    File(PathBuf, u64),
}

impl Input {
    /// How messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path, _) => path.display().to_string(),
        }
    }

    /// Length in bytes, 0 where it is not known.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Stdin => 0,
            Self::File(_, bytes) => *bytes,
        }
    }

    /// Pins its bytes. `table` names what comes from standard input.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(&self, table: Option<&str>) -> Result<Source, Error> {
        match self {
            Self::Stdin => Source::reader(std::io::stdin().lock(), table.unwrap_or("stdin")),
            Self::File(path, _) => Source::file(path),
        }
        .map_err(|error| error.in_file(self.name()))
    }
}

/// All inputs that `named` means: files, the files of folders, standard input. The lake itself is left out.
///
/// # Errors
/// One does not exist, standard input is named twice, or nothing is found at all.
pub fn inputs(named: &[PathBuf], lake: Option<&Path>) -> Result<Vec<Input>, Error> {
    let lake = lake.and_then(|lake| lake.canonicalize().ok());
    let mut found = Vec::new();
    for path in named {
        if path.as_os_str() == "-" {
            if found.contains(&Input::Stdin) {
                return Err(Error::usage("standard input (`-`) can be read only once"));
            }
            found.push(Input::Stdin);
            continue;
        }
        let outside = |file: &Path| match &lake {
            Some(lake) => !file.canonicalize().is_ok_and(|file| file.starts_with(lake)),
            None => true,
        };
        for file in files::walk(path, &outside)? {
            let bytes = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
            found.push(Input::File(file, bytes));
        }
    }
    if found.is_empty() {
        let names: Vec<String> = named.iter().map(|path| path.display().to_string()).collect();
        return Err(Error::new(Code::NoInput, "there is no file to read here")
            .with_hint("hidden files and those that start with `_` are skipped inside folders")
            .in_file(names.join(", ")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_lake_is_no_input_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("lake/orders")).unwrap();
        fs::write(path("lake/orders/a.parquet"), "PAR1").unwrap();
        fs::write(path("orders.json"), "[]").unwrap();
        let found = inputs(&[folder.path().to_owned()], Some(&path("lake"))).unwrap();
        assert_eq!(found, [Input::File(path("orders.json"), 2)]);
    }

    #[test]
    fn standard_input_is_read_once() {
        let named = [PathBuf::from("-"), PathBuf::from("-")];
        assert_eq!(inputs(&named, None).unwrap_err().fault(), Fault::Usage);
        assert_eq!(inputs(&named[..1], None).unwrap(), [Input::Stdin]);
    }

    #[test]
    fn nothing_to_read_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(inputs(&[folder.path().to_owned()], None).unwrap_err().name(), "no_input");
        assert_eq!(
            existing_lake(folder.path()).err().map(|problem| problem.code()).as_deref(),
            Some("no_lake")
        );
    }

    #[test]
    fn an_empty_spec_is_no_proposal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transform.toml");
        fs::write(&path, " \n").unwrap();
        assert_eq!(read_spec(Some(&path)).unwrap_err().name(), "spec_empty");
        assert_eq!(read_spec(None).unwrap(), "");
    }
}
