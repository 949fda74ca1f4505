//! Partition projection: the table parameters by which Athena works partitions out, and what it will not find.
//!
//! Not for checking the configuration's ranges (`config`). Decisions to know: Athena wants a projection for all
//! partition keys of a table or for none; and once switched on it is never switched off here, since
//! partitions that came in meanwhile were never registered and their rows would be gone from every query.

use std::collections::BTreeMap;

use crate::catalog::contract::Typed;
use crate::catalog::partition::DEFAULT_PARTITION;
use lakegate_base::{Code, Error, Result};
use lakegate_config::Projection;

/// The parameters of a table with these keys; none if none of its keys is projected.
pub(super) fn parameters(
    table: &str,
    keys: &[Typed],
    projection: &BTreeMap<String, Projection>,
) -> Result<BTreeMap<String, String>> {
    let lacking: Vec<&str> =
        keys.iter().map(|key| key.name.as_str()).filter(|name| !projection.contains_key(*name)).collect();
    if lacking.len() == keys.len() {
        return Ok(BTreeMap::new());
    }
    if !lacking.is_empty() {
        let message =
            format!("table {table} has no projection for its partition column {}", lacking.join(", "));
        return Err(Error::new(Code::ProjectionIncomplete, message)
            .with_hint("Athena projects all partition columns of a table or none: add the missing ones under `catalog.projection`"));
    }
    let mut parameters = BTreeMap::from([("projection.enabled".into(), "true".into())]);
    for key in keys {
        for (name, value) in projection.get(&key.name).into_iter().flat_map(of_column) {
            parameters.insert(format!("projection.{}.{name}", key.name), value);
        }
    }
    Ok(parameters)
}

fn of_column(projection: &Projection) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    match projection {
        Projection::Enum { values } => {
            found.extend([("type", "enum".into()), ("values", values.join(","))]);
        }
        Projection::Integer { from, to, interval, digits } => {
            found.extend([("type", "integer".into()), ("range", format!("{from},{to}"))]);
            found.extend(interval.map(|interval| ("interval", interval.to_string())));
            found.extend(digits.map(|digits| ("digits", digits.to_string())));
        }
        Projection::Date { from, to, format, interval, unit } => {
            found.extend([
                ("type", "date".into()),
                ("range", format!("{from},{to}")),
                ("format", format.clone()),
            ]);
            found.extend(interval.map(|interval| ("interval", interval.to_string())));
            found.extend(unit.map(|unit| ("interval.unit", unit.name().into())));
        }
        Projection::Injected => found.push(("type", "injected".into())),
    }
    found
}

/// Partition columns that hold a value which their projection does not make: those rows are in no query.
/// The columns are named, the values are not.
pub(super) fn outside<'a>(
    keys: &'a [Typed],
    projection: &BTreeMap<String, Projection>,
    partitions: &BTreeMap<String, Vec<String>>,
) -> Vec<&'a str> {
    let outside = |(index, key): (usize, &Typed)| {
        let projection = projection.get(&key.name)?;
        let missed = |values: &Vec<String>| values.get(index).is_some_and(|value| !makes(projection, value));
        partitions.values().any(missed).then_some(index)
    };
    let found: Vec<usize> = keys.iter().enumerate().filter_map(outside).collect();
    found.into_iter().map(|index| keys[index].name.as_str()).collect()
}

/// Dates are only looked at where text order is their order; a wrong answer would be a false alarm.
fn makes(projection: &Projection, value: &str) -> bool {
    match projection {
        Projection::Enum { values } => values.iter().any(|one| one == value),
        Projection::Integer { from, to, interval, digits } => value.parse::<i64>().is_ok_and(|number| {
            let step = i128::from(interval.unwrap_or(1).max(1));
            let width = usize::try_from(digits.unwrap_or(1)).unwrap_or(1);
            (*from..=*to).contains(&number)
                && (i128::from(number) - i128::from(*from)) % step == 0
                && format!("{number:0width$}") == value
        }),
        Projection::Date { from, to, format, .. } => {
            let dated = |end: &str| !end.starts_with("NOW");
            let ordered = format == "yyyy-MM-dd" && value != DEFAULT_PARTITION;
            value != DEFAULT_PARTITION
                && !(ordered && dated(from) && value < from.as_str())
                && !(ordered && dated(to) && value > to.as_str())
        }
        Projection::Injected => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_config::IntervalUnit;

    fn keys(names: &[&str]) -> Vec<Typed> {
        names.iter().map(|name| Typed { name: (*name).into(), ty: "string".into() }).collect()
    }

    fn days() -> Projection {
        Projection::Date {
            from: "2024-01-01".into(),
            to: "NOW+1DAYS".into(),
            format: "yyyy-MM-dd".into(),
            interval: Some(1),
            unit: Some(IntervalUnit::Days),
        }
    }

    #[test]
    fn parameters_are_athena_s() {
        let projection = BTreeMap::from([
            ("day".to_string(), days()),
            ("hour".to_string(), Projection::Integer { from: 0, to: 23, interval: None, digits: Some(2) }),
            ("shop".to_string(), Projection::Enum { values: vec!["a".into(), "b".into()] }),
            ("user".to_string(), Projection::Injected),
        ]);
        let found = parameters("t", &keys(&["day", "hour", "shop", "user"]), &projection).unwrap();
        let lines: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            lines,
            [
                "projection.day.format=yyyy-MM-dd",
                "projection.day.interval=1",
                "projection.day.interval.unit=DAYS",
                "projection.day.range=2024-01-01,NOW+1DAYS",
                "projection.day.type=date",
                "projection.enabled=true",
                "projection.hour.digits=2",
                "projection.hour.range=0,23",
                "projection.hour.type=integer",
                "projection.shop.type=enum",
                "projection.shop.values=a,b",
                "projection.user.type=injected",
            ]
        );
    }

    #[test]
    fn all_keys_or_none() {
        let projection = BTreeMap::from([("day".to_string(), days())]);
        assert_eq!(parameters("t", &keys(&[]), &projection).unwrap(), BTreeMap::new());
        assert_eq!(parameters("t", &keys(&["shop"]), &projection).unwrap(), BTreeMap::new());
        let error = parameters("t", &keys(&["day", "shop"]), &projection).unwrap_err();
        assert_eq!(error.to_string(), "table t has no projection for its partition column shop");
    }

    #[test]
    fn values_that_no_query_finds_are_told_by_column() {
        let hours = Projection::Integer { from: 0, to: 23, interval: None, digits: Some(2) };
        let projection = BTreeMap::from([("day".to_string(), days()), ("hour".to_string(), hours)]);
        let told = |day: &str, hour: &str| {
            let partitions = BTreeMap::from([("p/".to_string(), vec![day.to_string(), hour.to_string()])]);
            outside(&keys(&["day", "hour"]), &projection, &partitions).join(" ")
        };
        assert_eq!(told("2025-01-01", "07"), "");
        assert_eq!(told("2025-01-01", "7"), "hour"); // Athena asks for `hour=07`
        assert_eq!(told("2025-01-01", "24"), "hour");
        assert_eq!(told("2023-12-31", "00"), "day");
        assert_eq!(told(DEFAULT_PARTITION, DEFAULT_PARTITION), "day hour");
        assert_eq!(told("2999-01-01", "00"), ""); // NOW is not known here
    }
}
