//! Which pipeline takes an object, and whose crawler a part file starts.
//!
//! Not for reading the object. The decision to know: outputs are looked at first, then the longest prefix
//! wins, then the longest suffix; a tie cannot be, since it is a mistake in the text.

use crate::Config;
use crate::catalog::{Catalog, CrawlerStart};
use crate::pipeline::Pipeline;

/// Below a lake: what is no part file.
const OWN: &str = "_lakegate/";
const PART: &str = ".parquet";

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

/// A crawler that the arrival of a part file starts, and a pipeline that says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival<'c> {
    /// The pipeline, in whose lake the part file is.
    pub pipeline: &'c Pipeline,
    /// The crawler.
    pub crawler: &'c str,
}

impl Config {
    /// The crawlers that an object starts by its arrival, each once: those of the pipelines that say so, where it is a
    /// part file in their lake. Several pipelines may share a lake, and a key does not tell which of them wrote it.
    pub fn arrival(&self, bucket: &str, key: &str) -> Vec<Arrival<'_>> {
        let uri = format!("s3://{bucket}/{key}");
        let mut found: Vec<Arrival<'_>> = Vec::new();
        for pipeline in self.pipelines.values() {
            let Catalog::Crawler { crawler, start: CrawlerStart::Arrival, .. } = &pipeline.catalog else {
                continue;
            };
            let rest = uri.strip_prefix(&pipeline.lake.uri());
            let is_part = rest.is_some_and(|rest| rest.ends_with(PART) && !rest.starts_with(OWN));
            if is_part && found.iter().all(|known| known.crawler != crawler) {
                found.push(Arrival { pipeline, crawler });
            }
        }
        found
    }

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
