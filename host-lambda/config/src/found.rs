//! Where a deployed host finds its configuration.
//!
//! Not for reading it, and not for a person's, which is found upwards from where the command runs.

use std::path::Path;

use lakegate_base::{Code, Error, Result};

use crate::location::{Address, address};
use crate::origin::Origin;
use crate::{ENVIRONMENT, FILE_NAME};

/// As the environment variable says, else the file in `folder`, where the binary is.
pub(super) fn deployed(variable: Option<&str>, folder: &Path) -> Result<Origin> {
    let Some(said) = variable.map(str::trim).filter(|said| !said.is_empty()) else {
        let path = folder.join(FILE_NAME);
        return if path.is_file() { Ok(Origin::File(path)) } else { Err(missing(folder)) };
    };
    // No path and no URI has a line break, or opens a section.
    if said.contains('\n') || said.contains("[pipeline") {
        return Ok(Origin::Inline { text: said.to_owned(), folder: folder.to_owned() });
    }
    match address(said, &Origin::File(folder.join(FILE_NAME))) {
        Ok(Address::Local(path)) => Ok(Origin::File(path)),
        Ok(Address::S3 { bucket, key }) if !key.is_empty() && !key.ends_with('/') => {
            Ok(Origin::Object { bucket, key })
        }
        Ok(_) => Err(unfit(said, "it names no object")),
        Err(wrong) => Err(unfit(said, &wrong.message)),
    }
}

fn missing(folder: &Path) -> Error {
    Error::new(Code::ConfigMissing, format!("there is no {FILE_NAME} in {}", folder.display())).with_hint(
        format!("put one into the zip, or set {ENVIRONMENT} to a path, an s3:// URI or the text itself"),
    )
}

fn unfit(said: &str, why: &str) -> Error {
    Error::new(Code::ConfigMissing, format!("{ENVIRONMENT} is {said}: {why}"))
        .with_hint("write s3://BUCKET/KEY of the file")
}
