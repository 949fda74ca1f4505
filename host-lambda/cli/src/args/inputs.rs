//! Source objects as the command line means them: files, the files of folders, objects in buckets, standard input.
//!
//! Not for lakes. The decision to know: a URI that ends in `/`, or names a bucket alone, is a prefix, and means what
//! lies below it, as a folder does; any other URI is one object.

use crate::args::files;
use crate::cloud;
use crate::place::{Place, bucket_and_key};
use lakegate_base::{Code, Error};
use lakegate_lake::source::Source;
use lakegate_lake::storage::{Facts, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One input as the command line means it.
#[derive(Clone)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, and its length in bytes when the command line was read.
    File(PathBuf, u64),
    /// An object: its URI, its bucket, and its facts then.
    Object(String, Arc<dyn Storage>, Facts),
}

impl Input {
    /// How messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path, _) => path.display().to_string(),
            Self::Object(uri, ..) => uri.clone(),
        }
    }

    /// What it is, however it is named: two of one identity are one source object.
    pub fn identity(&self) -> String {
        match self {
            Self::File(path, _) => path.canonicalize().as_ref().unwrap_or(path).display().to_string(),
            Self::Stdin | Self::Object(..) => self.name(),
        }
    }

    /// Length in bytes, 0 where it is not known.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Stdin => 0,
            Self::File(_, bytes) => *bytes,
            Self::Object(_, _, facts) => facts.bytes,
        }
    }

    /// When it was changed last, in milliseconds since 1970-01-01 UTC; 0 where it is not known.
    pub fn modified_ms(&self) -> i64 {
        if let Self::Object(_, _, facts) = self { facts.modified_ms } else { 0 }
    }

    /// Pins its bytes. `table` names what comes from standard input.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(&self, table: Option<&str>) -> Result<Source, Error> {
        match self {
            Self::Stdin => Source::reader(std::io::stdin().lock(), table.unwrap_or("stdin")),
            Self::File(path, _) => Source::file(path),
            Self::Object(uri, bucket, facts) => pinned(uri, bucket, facts),
        }
        .map_err(|error| error.in_file(self.name()))
    }
}

/// An object of a listing, by its version where the bucket keeps versions.
fn pinned(uri: &str, bucket: &Arc<dyn Storage>, facts: &Facts) -> Result<Source, Error> {
    let facts = bucket.stat(&facts.key)?.ok_or_else(|| missing(uri))?;
    Ok(Source::object(bucket.clone(), uri.to_owned(), facts))
}

/// Why there is no object of this name: the bucket may be missing too, which a look at an object does not tell.
pub fn no_object(bucket: &dyn Storage, key: &str, uri: &str) -> Error {
    match bucket.list_page(key, None, 1) {
        Ok(_) => missing(uri),
        Err(error) => Error::from(error).in_file(uri),
    }
}

fn missing(uri: &str) -> Error {
    Error::new(Code::NotFound, "there is no such object")
        .with_hint("a prefix ends in `/`; `aws s3 ls` lists what there is")
        .in_file(uri)
}

/// What one argument of the command line means.
pub struct Named {
    /// The inputs, in the order of their names.
    pub inputs: Vec<Input>,
    /// Its own name, where it is a folder or a prefix.
    pub folder: Option<String>,
}

/// All inputs that `named` means: files, the files of folders, objects, those below a prefix, standard input. The lake
/// itself is left out.
///
/// # Errors
/// One does not exist, standard input is named twice, or nothing is found at all.
pub fn inputs(named: &[Place], lake: Option<&Path>) -> Result<Vec<Input>, Error> {
    Ok(by_argument(named, lake)?.into_iter().flat_map(|named| named.inputs).collect())
}

/// The same, argument by argument.
///
/// # Errors
/// As [`inputs`].
pub fn by_argument(named: &[Place], lake: Option<&Path>) -> Result<Vec<Named>, Error> {
    let own = lake.and_then(|lake| lake.canonicalize().ok());
    let mut found: Vec<Named> = Vec::new();
    for place in named {
        let path = match place {
            Place::S3(uri) => {
                found.push(Named { inputs: objects(uri, lake)?, folder: prefix_name(uri)? });
                continue;
            }
            Place::Local(path) => path,
        };
        if path.as_os_str() == "-" {
            if found.iter().any(|named| matches!(named.inputs[..], [Input::Stdin])) {
                return Err(Error::usage("standard input (`-`) can be read only once"));
            }
            found.push(Named { inputs: vec![Input::Stdin], folder: None });
            continue;
        }
        let outside = |file: &Path| match &own {
            Some(own) => !file.canonicalize().is_ok_and(|file| file.starts_with(own)),
            None => true,
        };
        let sized = |file: PathBuf| {
            let bytes = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
            Input::File(file, bytes)
        };
        let inputs = files::walk(path, &outside)?.into_iter().map(sized).collect();
        found.push(Named { inputs, folder: path.is_dir().then(|| folder_name(path)) });
    }
    if found.iter().all(|named| named.inputs.is_empty()) {
        let names: Vec<String> = named.iter().map(Place::to_string).collect();
        return Err(Error::new(Code::NoInput, "there is nothing to read here")
            .with_hint("hidden files and those that start with `_` are skipped inside folders and prefixes")
            .in_file(names.join(", ")));
    }
    Ok(found)
}

/// An object, or those below a prefix.
fn objects(uri: &str, lake: Option<&Path>) -> Result<Vec<Input>, Error> {
    let bucket = cloud::bucket_of(uri)?;
    let (name, key) = bucket_and_key(uri)?;
    if !is_prefix(key) {
        let facts = match bucket.stat(key)? {
            Some(facts) => facts,
            None => return Err(no_object(&*bucket, key, uri)),
        };
        return Ok(vec![Input::Object(uri.to_owned(), bucket, facts)]);
    }
    let own = lake.and_then(Path::to_str).map(|lake| format!("{}/", lake.trim_end_matches('/')));
    let below = below(&*bucket, key)?.into_iter();
    let inputs =
        below.map(|facts| Input::Object(format!("s3://{name}/{}", facts.key), bucket.clone(), facts));
    Ok(inputs.filter(|input| own.as_ref().is_none_or(|own| !input.name().starts_with(own))).collect())
}

/// What a folder is called; a step that is a partition (`day=1`) names none.
fn folder_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let steps: Vec<String> = whole.iter().map(|step| step.to_string_lossy().into_owned()).collect();
    last_name(steps.iter().map(String::as_str))
}

/// The same of a prefix, down to its bucket; `None` for an object.
fn prefix_name(uri: &str) -> Result<Option<String>, Error> {
    let (bucket, key) = bucket_and_key(uri)?;
    Ok(is_prefix(key).then(|| last_name([bucket].into_iter().chain(key.split('/')))))
}

fn last_name<'a>(steps: impl DoubleEndedIterator<Item = &'a str>) -> String {
    let mut names = steps.rev().filter(|step| !step.is_empty() && !step.contains('='));
    names.next().unwrap_or_default().to_owned()
}

/// Whether a key means all that lies below it.
pub fn is_prefix(key: &str) -> bool {
    key.is_empty() || key.ends_with('/')
}

/// The objects below a prefix, as folders are walked: without those that are hidden or begin with `_` below it, and
/// without the empty ones that stand for folders.
///
/// # Errors
/// The storage's.
pub fn below(bucket: &dyn Storage, prefix: &str) -> Result<Vec<Facts>, Error> {
    let mut found = bucket.list(prefix)?;
    found.retain(|facts| {
        let inside = facts.key.strip_prefix(prefix).unwrap_or(&facts.key);
        !facts.key.ends_with('/') && !inside.split('/').any(|step| step.starts_with(['.', '_']))
    });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::Fault;
    use std::fs;

    #[test]
    fn the_lake_is_no_input_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("lake/orders")).unwrap();
        fs::write(path("lake/orders/a.parquet"), "PAR1").unwrap();
        fs::write(path("orders.json"), "[]").unwrap();
        let found = inputs(&[Place::Local(folder.path().to_owned())], Some(&path("lake"))).unwrap();
        let [Input::File(file, 2)] = &found[..] else { panic!("one file") };
        assert_eq!(*file, path("orders.json"));
    }

    #[test]
    fn standard_input_is_read_once() {
        let named = [Place::from("-"), Place::from("-")];
        assert_eq!(inputs(&named, None).err().map(|error| error.fault()), Some(Fault::Usage));
        assert!(matches!(inputs(&named[..1], None).unwrap()[..], [Input::Stdin]));
    }

    #[test]
    fn a_folder_has_the_name_of_its_last_step_that_is_no_partition() {
        for (uri, expected) in [
            ("s3://raw/orders/", Some("orders")),
            ("s3://raw/orders/2025/day=1/hour=2/", Some("2025")),
            ("s3://raw", Some("raw")),
            ("s3://raw/", Some("raw")),
            ("s3://raw/orders/x.json", None),
        ] {
            assert_eq!(prefix_name(uri).unwrap().as_deref(), expected, "{uri}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exports/day=1");
        fs::create_dir_all(&path).unwrap();
        assert_eq!(folder_name(&path), "exports");
        assert_eq!(folder_name(&path.join("..").join("day=1")), "exports");
    }

    #[test]
    fn nothing_to_read_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let refused = inputs(&[Place::Local(folder.path().to_owned())], None).err();
        assert_eq!(refused.map(|error| error.code()), Some(Code::NoInput));
    }
}
