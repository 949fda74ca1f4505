//! Columns whose type the data has left, over what a lake took lately.
//!
//! Not for one object: that tells by itself ([`run`](mod@crate::run)). The decision to know: a type is changed once for
//! all objects, so what is proposed goes by all of them; the look is bounded, and whoever asks has a proposal without it.

use lakegate_model::Drift;

use crate::lake::Lake;
use crate::run::rejected_in;
use lakegate_base::Result;

/// Commits and failures that are looked at, the newest commits first.
const LOOKED_AT: usize = 20;

/// What the lake says of the columns of `own`, which were met a moment ago, with what it took and refused before.
pub fn known(lake: &Lake, own: &[Drift]) -> Vec<Drift> {
    if own.is_empty() {
        return Vec::new();
    }
    // Nothing fails for it: it is advice.
    let lately = lately(lake, own).unwrap_or_default();
    let mut all = lately.clone();
    Drift::join(&mut all, own);
    all.retain(|drift| own.iter().any(|own| own.is_of(drift)));
    for drift in &mut all {
        // What was met a moment ago is in the lake already, unless the look ended before.
        let counted = lately.iter().find(|lately| lately.is_of(drift) && lately.to == drift.to);
        if let Some(counted) = counted {
            drift.clone_from(counted);
        }
    }
    all
}

fn lately(lake: &Lake, own: &[Drift]) -> Result<Vec<Drift>> {
    let mut all = Vec::new();
    for entry in lake.history(None, LOOKED_AT)?.entries {
        let load = &entry.load;
        let mut tables = load.tables.iter();
        let concerns = tables.any(|table| own.iter().any(|drift| drift.table == table.table));
        if entry.current && entry.done && load.rejected > 0 && concerns {
            let record = lake.record_of(&load.pipeline, &load.source, load.generation)?;
            Drift::join(&mut all, &rejected_in(lake, &record)?.drift);
        }
    }
    for failed in lake.failures_page(None, LOOKED_AT)?.0 {
        Drift::join(&mut all, &failed.told.drift);
    }
    Ok(all)
}
