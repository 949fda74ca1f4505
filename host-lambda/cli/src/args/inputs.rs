//! Source objects as the command line means them: files, the files of folders, standard input.

use crate::args::files;
use lakegate_base::{Code, Error};
use lakegate_lake::source::Source;
use std::path::{Path, PathBuf};

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
    use lakegate_base::Fault;
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
    }
}
