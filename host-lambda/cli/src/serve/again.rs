//! Takes again what failed: puts it into the queue once more, as it lies below the raw names.
//!
//! Not for the flow, which takes it as any upload. The decision to know: only what lies in this lake's raw folder can be
//! taken; what failed from elsewhere is named, and is for `lakegate run --failed`.

use crate::serve::queue::Waiting;
use crate::serve::{Server, Told, raw};
use lakegate_base::Error;
use lakegate_lake::record::{FailedRecord, ReleaseRecord};

/// Which of all that failed is meant.
pub struct Only {
    /// What failed under this release, `orders@1.3.0`.
    pub release: Option<String>,
    /// This source object.
    pub source: Option<String>,
}

/// What came of asking.
pub struct Again {
    /// Uploads to follow.
    pub ids: Vec<String>,
    /// Sources that do not lie where this server takes from.
    pub left: Vec<String>,
}

impl Only {
    fn means(&self, failed: &FailedRecord) -> bool {
        let by = failed.release.as_ref().map(ReleaseRecord::id);
        self.release.as_ref().is_none_or(|release| by.as_ref() == Some(release))
            && self.source.as_ref().is_none_or(|source| failed.source.uri == *source)
    }
}

impl Server {
    /// Puts what failed into the queue again.
    ///
    /// # Errors
    /// The storage's.
    pub(super) fn take_failed(&self, only: &Only) -> Result<Again, Error> {
        let own = matches!(self.told()?, Told::Own);
        let mut again = Again { ids: Vec::new(), left: Vec::new() };
        for failed in self.lake.failures()?.into_iter().filter(|failed| only.means(failed)) {
            match self.take_one(&failed, own)? {
                Some(id) => again.ids.push(id),
                None => again.left.push(failed.source.uri),
            }
        }
        Ok(again)
    }

    /// Its id in the queue; none where its raw file is not in the raw folder.
    fn take_one(&self, failed: &FailedRecord, own: bool) -> Result<Option<String>, Error> {
        let uri = &failed.source.uri;
        let name = uri.rsplit('/').next().unwrap_or_default().to_owned();
        let Some((staged, digest)) = raw::stage_again(&self.lake, uri, &name)? else { return Ok(None) };
        let spec = Some(failed.spec.clone()).filter(|_| own);
        let spec = spec.filter(|digest| self.kept_spec(digest).is_ok());
        let bytes = staged.bytes;
        let waiting = Waiting { version: 1, name, bytes, digest, spec, ..Waiting::default() };
        self.queue.accept(waiting, staged).map(Some)
    }
}
