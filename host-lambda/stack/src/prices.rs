//! What AWS asks, from `prices.toml`.
//!
//! The decision to know: a number without a source is used and marked, never hidden.

use std::collections::BTreeMap;

use lakegate_base::{Code, Error, Result};
use serde::Deserialize;

const DATA: &str = include_str!("../prices.toml");

/// One price.
#[derive(Clone, Debug, Deserialize)]
pub struct Price {
    /// What for.
    pub name: String,
    /// US dollars for one unit.
    pub dollars: f64,
    /// The unit, for people.
    pub unit: String,
    /// Where it was read; not looked up when absent.
    pub source: Option<String>,
    /// When it was read.
    pub looked_up: Option<toml::value::Datetime>,
}

#[derive(Deserialize)]
struct Data {
    region: String,
    price: Vec<Price>,
}

/// All prices of a region.
#[derive(Clone, Debug)]
pub struct Prices {
    /// Where they hold.
    pub region: String,
    by_name: BTreeMap<String, Price>,
}

impl Prices {
    /// Those of the repository.
    ///
    /// # Errors
    /// The file is broken: a fault of this program.
    pub fn read() -> Result<Self> {
        let broken = |error: toml::de::Error| Error::new(Code::Invariant, format!("prices.toml: {error}"));
        let data: Data = toml::from_str(DATA).map_err(broken)?;
        let by_name = data.price.into_iter().map(|price| (price.name.clone(), price)).collect();
        Ok(Self { region: data.region, by_name })
    }

    /// The price of a thing.
    ///
    /// # Errors
    /// There is none: a fault of this program.
    pub fn of(&self, name: &str) -> Result<&Price> {
        let missing = || Error::new(Code::Invariant, format!("prices.toml has no {name}"));
        self.by_name.get(name).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_a_date_and_a_source_or_neither() {
        let prices = Prices::read().unwrap();
        assert_eq!(prices.region, "us-east-1");
        for price in prices.by_name.values() {
            assert_eq!(price.source.is_some(), price.looked_up.is_some(), "{}", price.name);
            assert!(price.dollars > 0.0 && !price.unit.is_empty(), "{}", price.name);
        }
        assert!(prices.of("nothing").is_err());
    }
}
