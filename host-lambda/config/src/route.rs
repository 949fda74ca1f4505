//! Which pipeline takes an object.
//!
//! Not for reading the object. The decision to know: outputs are looked at first, then the longest prefix
//! wins, then the longest suffix; a tie cannot be, since it is a mistake in the text.

use crate::Config;
use crate::pipeline::Pipeline;

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Route<'c> {
    /// This pipeline takes it.
    Pipeline(&'c Pipeline),
    /// A pipeline wrote it: taking it would never end.
    Loop {
        /// The pipeline that writes there.
        pipeline: &'c str,
        /// Where it writes.
        prefix: String,
    },
    /// No pipeline takes it.
    Unmatched,
}

impl Config {
    pub(super) fn route_uri(&self, uri: &str) -> Route<'_> {
        for pipeline in self.pipelines.values() {
            for (_, place) in pipeline.outputs() {
                let prefix = place.uri();
                if uri.starts_with(&prefix) {
                    return Route::Loop { pipeline: &pipeline.name, prefix };
                }
            }
        }
        let fits = self.pipelines.values().filter_map(|pipeline| Some((pipeline.source.fit(uri)?, pipeline)));
        match fits.max_by_key(|(fit, _)| *fit) {
            Some((_, pipeline)) => Route::Pipeline(pipeline),
            None => Route::Unmatched,
        }
    }
}
