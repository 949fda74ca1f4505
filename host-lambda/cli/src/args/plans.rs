//! What to do with each source, as a spec and the table beside it say.

use crate::args::inputs::no_object;
use crate::cloud;
use crate::place::{Place, bucket_and_key};
use crate::show::problem;
use lakegate_base::{Code, Error};
use lakegate_lake::run::Plan;
use lakegate_lake::source::{Source, default_table};
use std::path::{Path, PathBuf};

/// The text of a spec, or the empty text when there is none.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub fn read_spec(place: Option<&Place>) -> Result<String, Error> {
    let Some(place) = place else { return Ok(String::new()) };
    let name = place.to_string();
    let bytes = read(place)?;
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

/// All of a small file, wherever it is.
///
/// # Errors
/// `not_found`; it cannot be read.
pub fn read(place: &Place) -> Result<Vec<u8>, Error> {
    let uri = match place {
        Place::Local(path) => {
            return std::fs::read(path).map_err(|error| Error::io(&place.to_string(), error));
        }
        Place::S3(uri) => uri,
    };
    let ((_, key), bucket) = (bucket_and_key(uri)?, cloud::bucket_of(uri)?);
    match bucket.get(key)? {
        Some(found) => Ok(found.bytes),
        None => Err(no_object(&*bucket, key, uri)),
    }
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
    pub fn new(spec: Option<&Place>, table: Option<&str>, again: bool) -> Result<Self, Error> {
        let path = spec.map(Place::shown);
        Self::of_text(read_spec(spec)?, path.as_deref(), table, again)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_empty_spec_is_no_proposal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transform.toml");
        fs::write(&path, " \n").unwrap();
        assert_eq!(read_spec(Some(&Place::Local(path))).unwrap_err().name(), "spec_empty");
        assert_eq!(read_spec(None).unwrap(), "");
    }
}
