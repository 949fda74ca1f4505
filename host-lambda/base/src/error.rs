//! What can go wrong in the host: its name, whose fault it is, where, and what to do.
//!
//! Not for rejected records: those are data and go to the quarantine. There is one error for all layers, so that
//! the same failure reads the same from a command, a request and a function. What decides by a failure
//! (exit codes, statuses, retries) asks for its [`Code`], [`Fault`] or [`Kind`], never for a text. No message
//! holds a value from the input, since messages go to logs and notices.

use std::fmt;
use std::io;
use std::sync::Arc;

use lakegate_model::{Code, Fault, Kind, Place, Rejected};

/// Result with the host's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the host.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    kind: Kind,
    fault: Fault,
    /// What a transform of somebody else calls it; that is no [`Code`].
    foreign: Option<Box<str>>,
    message: String,
    hint: Option<String>,
    file: Option<String>,
    place: Option<Box<Place>>,
    panic: Option<Box<str>>,
    rejected: Option<Box<Rejected>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of this code, with one sentence for people.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            kind: code.kind(),
            fault: code.fault(),
            foreign: None,
            message: message.into(),
            hint: None,
            file: None,
            place: None,
            panic: None,
            rejected: None,
            source: None,
        }
    }

    /// The command was called in a way that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// Reading or writing `what`, a path or a name, failed; code and hint follow from the kind of error.
    pub fn io(what: &str, error: io::Error) -> Self {
        let (code, hint) = match error.kind() {
            io::ErrorKind::NotFound => {
                (Code::NotFound, Some("check the path; relative paths start at the current folder"))
            }
            io::ErrorKind::PermissionDenied => {
                (Code::PermissionDenied, Some("check the rights of the file and of the folders above it"))
            }
            io::ErrorKind::StorageFull => (Code::DiskFull, Some("free some space and run it again")),
            _ => (Code::Io, None),
        };
        let mut made = Self::new(code, format!("{what}: {error}"));
        if error.kind() == io::ErrorKind::TimedOut {
            made.kind = Kind::Passing;
        }
        made.hint = hint.map(str::to_owned);
        made.because(error)
    }

    /// A failure that a transform reports. A stranger's transform has names of its own, which are kept.
    pub fn told(fault: Fault, name: &str, message: String, hint: Option<String>, place: Place) -> Self {
        let known = Code::of_name(name);
        Self {
            kind: if fault == Fault::Transform { Kind::Own } else { Kind::Input },
            fault,
            foreign: known.is_none().then(|| name.into()),
            hint,
            ..Self::new(known.unwrap_or(Code::TransformRefused), message)
        }
        .at(place)
    }

    /// Of a kind that only shows at run time, for example another error's.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_hint(self, text: impl Into<String>) -> Self {
        Self { hint: Some(text.into()), ..self }
    }

    /// Says in which file it is, as the person named it; the empty name says nothing.
    #[must_use]
    pub fn in_file(self, name: impl Into<String>) -> Self {
        Self { file: Some(name.into()).filter(|name| !name.is_empty()), ..self }
    }

    /// Says where in the input or spec it is.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place: (!place.is_empty()).then(|| Box::new(place)), ..self }
    }

    /// Keeps what a transform said when it panicked. That may hold values of the input, so it is told where those are
    /// (to who runs it, in the lake's failure record), and it is no part of the message.
    #[must_use]
    pub fn with_panic(self, said: impl Into<Box<str>>) -> Self {
        Self { panic: Some(said.into()), ..self }
    }

    /// Keeps which records had been rejected until then, and why; nothing of what is empty.
    #[must_use]
    pub fn with_rejected(self, rejected: Rejected) -> Self {
        Self { rejected: (!rejected.is_empty()).then(|| Box::new(rejected)), ..self }
    }

    /// Keeps what brought it about.
    #[must_use]
    pub fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// What decisions go by.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The stable name on the wire: the code's, or what a stranger's transform calls it.
    pub fn name(&self) -> &str {
        self.foreign.as_deref().unwrap_or(self.code.name())
    }

    /// One sentence for people, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// In which file it is, as the person named it.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Where in the input or spec, if that is known.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }

    /// What a transform said when it panicked; may hold values of the input.
    pub fn panic(&self) -> Option<&str> {
        self.panic.as_deref()
    }

    /// Which records had been rejected until then, and why.
    pub fn rejected(&self) -> Option<&Rejected> {
        self.rejected.as_deref()
    }

    /// True if a service said no for a reason that lies in the set-up: no object is to blame for it.
    pub fn is_of_set_up(&self) -> bool {
        self.fault == Fault::Environment && self.kind == Kind::Own
    }
}

/// What the shared readers of specs and contracts say, as a transform would have said it.
impl From<lakegate_model::Failure> for Error {
    fn from(said: lakegate_model::Failure) -> Self {
        Self::told(said.fault.into(), said.code, said.message, said.hint, said.place)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_s_name_is_kept_and_a_known_one_is_a_code() {
        let told = |name| Error::told(Fault::Input, name, "no".into(), None, Place::default());
        assert_eq!(
            (told("syntax_error").code(), told("syntax_error").name()),
            (Code::SyntaxError, "syntax_error")
        );
        assert_eq!((told("odd_moon").code(), told("odd_moon").name()), (Code::TransformRefused, "odd_moon"));
        assert_eq!(told("odd_moon").kind(), Kind::Input);
        let own = Error::told(Fault::Transform, "internal", "no".into(), None, Place::default());
        assert_eq!((own.kind(), own.fault()), (Kind::Own, Fault::Transform));
    }

    #[test]
    fn the_place_is_told_where_it_is_known() {
        let error = Error::new(Code::SyntaxError, "a comma is missing");
        assert_eq!(error.to_string(), "a comma is missing");
        let at = error.at(Place { line: Some(3), ..Place::default() });
        assert_eq!(at.to_string(), "a comma is missing (line 3)");
    }
}
