//! The functions of expressions: names, arguments, result types.
//!
//! Not for: what they compute, see `text_functions`, `rounding` and `calendar`. The decision to know:
//! semantics follow Athena (Trino), since that is where the tables are queried.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;

use super::bind::Binder;
use super::coerce::{decimal, is_number, is_time};
use super::error::{Refusal, nearest};
use super::syntax::Ast;
use super::tree::{Function, How, Node, Op, Unit};
use super::{json_functions, patterns};
use crate::column::ColumnType;
use crate::value::{TimeFormat, time};

/// Name, least and most arguments, how it is written.
const FUNCTIONS: [(&str, usize, usize, &str); 43] = [
    ("abs", 1, 1, "abs(number)"),
    ("ceil", 1, 1, "ceil(number)"),
    ("ceiling", 1, 1, "ceiling(number)"),
    ("coalesce", 1, usize::MAX, "coalesce(value, …)"),
    ("concat", 1, usize::MAX, "concat(text, …)"),
    ("date", 1, 1, "date(value)"),
    ("date_trunc", 2, 2, "date_trunc('month', date)"),
    ("day", 1, 1, "day(date)"),
    ("event_time", 0, 0, "event_time()"),
    ("floor", 1, 1, "floor(number)"),
    ("hour", 1, 1, "hour(timestamp)"),
    ("json_array_length", 1, 1, "json_array_length(text)"),
    ("json_extract_scalar", 2, 2, "json_extract_scalar(text, '$.path')"),
    ("length", 1, 1, "length(text)"),
    ("load_time", 0, 0, "load_time()"),
    ("lower", 1, 1, "lower(text)"),
    ("ltrim", 1, 1, "ltrim(text)"),
    ("minute", 1, 1, "minute(timestamp)"),
    ("month", 1, 1, "month(date)"),
    ("nullif", 2, 2, "nullif(value, value)"),
    ("quarter", 1, 1, "quarter(date)"),
    ("record_number", 0, 0, "record_number()"),
    ("regexp_extract", 2, 3, "regexp_extract(text, 'pattern') or regexp_extract(text, 'pattern', group)"),
    ("regexp_like", 2, 2, "regexp_like(text, 'pattern')"),
    ("regexp_replace", 2, 3, "regexp_replace(text, 'pattern') or regexp_replace(text, 'pattern', 'with')"),
    ("replace", 3, 3, "replace(text, from, to)"),
    ("round", 1, 2, "round(number) or round(number, digits)"),
    ("rtrim", 1, 1, "rtrim(text)"),
    ("second", 1, 1, "second(timestamp)"),
    ("sha256", 1, 1, "sha256(text)"),
    ("source_name", 0, 0, "source_name()"),
    ("source_partition", 1, 1, "source_partition('name')"),
    ("source_size", 0, 0, "source_size()"),
    ("source_uri", 0, 0, "source_uri()"),
    ("split_part", 3, 3, "split_part(text, separator, number)"),
    ("substr", 2, 3, "substr(text, start) or substr(text, start, length)"),
    ("substring", 2, 3, "substring(text, start) or substring(text, start, length)"),
    ("to_date", 1, 2, "to_date(text, '%d-%m-%Y')"),
    ("to_timestamp", 1, 2, "to_timestamp(text, '%d-%m-%Y %H:%M:%S')"),
    ("trim", 1, 1, "trim(text)"),
    ("upper", 1, 1, "upper(text)"),
    ("week", 1, 1, "week(date)"),
    ("year", 1, 1, "year(date)"),
];

impl Binder<'_> {
    pub(super) fn call(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let lower = name.to_ascii_lowercase();
        let Some((name, least, most, usage)) = FUNCTIONS.iter().copied().find(|(known, ..)| *known == lower)
        else {
            let refusal = Refusal::new(at, format!("there is no function `{name}`"));
            return Err(match nearest(&lower, FUNCTIONS.iter().map(|(known, ..)| *known)) {
                Some(near) => refusal.hint(format!("did you mean `{near}`?")),
                None => refusal,
            });
        };
        if !(least..=most).contains(&arguments.len()) {
            return Err(Refusal::new(at, format!("`{name}` was given {} arguments", arguments.len()))
                .hint(format!("it is written {usage}")));
        }
        match name {
            "source_uri" | "source_name" | "source_size" | "source_partition" | "event_time"
            | "load_time" => self.source(at, name, arguments),
            "record_number" => {
                self.uses_records = true;
                Ok(Node::new(at, ColumnType::Bigint, Op::RecordNumber))
            }
            "coalesce" => {
                let nodes = self.alike("coalesce", &arguments.iter().collect::<Vec<_>>())?;
                let ty = nodes.first().map_or(ColumnType::String, |node| node.ty);
                Ok(Node::new(at, ty, Op::Coalesce(nodes)))
            }
            "nullif" => {
                let (left, right) = self.pair("nullif", &arguments[0], &arguments[1])?;
                Ok(Node::new(at, left.ty, Op::NullIf(left, right)))
            }
            "concat" => {
                let terms =
                    arguments.iter().map(|term| self.text(term, "concat")).collect::<Result<_, _>>()?;
                Ok(Node::new(at, ColumnType::String, Op::Concat(terms)))
            }
            "date" => {
                let value = self.bind(&arguments[0])?;
                self.cast(at, value, ColumnType::Date, How::Reject)
            }
            "abs" | "round" | "floor" | "ceil" | "ceiling" => self.rounding(at, name, arguments),
            "to_date" | "to_timestamp" => self.parse_time(at, name, arguments),
            "date_trunc" => self.truncate(at, arguments),
            "json_extract_scalar" | "json_array_length" => self.json(at, name, arguments),
            "regexp_like" | "regexp_extract" | "regexp_replace" => self.pattern(at, name, arguments),
            _ => match Unit::named(name) {
                Some(unit) => self.part(at, name, unit, &arguments[0]),
                None => self.text_function(at, name, arguments),
            },
        }
    }

    /// A constant argument, as its text.
    fn constant_text(&mut self, ast: &Ast, what: &str) -> Result<String, Refusal> {
        let node = self.text(ast, what)?;
        if let Op::Constant(array, _) = &node.op
            && array.is_valid(0)
        {
            return Ok(array.as_string::<i32>().value(0).to_owned());
        }
        Err(Refusal::new(node.at, format!("{what} must be a text literal")))
    }

    fn source(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let source = self.env.source;
        let text =
            |value: Option<&str>| (ColumnType::String, Arc::new(StringArray::from(vec![value])) as ArrayRef);
        // What an object holds has one size wherever it lies.
        self.uses_source |= name != "source_size";
        let (ty, array) = match name {
            "source_uri" => text(Some(&source.uri)),
            "source_name" => text(source.name.as_deref()),
            "source_size" => {
                let size = source.size.and_then(|bytes| i64::try_from(bytes).ok());
                (ColumnType::Bigint, Arc::new(Int64Array::from(vec![size])) as ArrayRef)
            }
            "event_time" => moment(at, source.event_time, "the time of the source's event")?,
            "load_time" => moment(at, source.load_time, "the time of loading")?,
            _ => {
                let wanted = self.constant_text(&arguments[0], "the name of a source partition")?;
                let found = source.partitions.iter().find(|(name, _)| name.eq_ignore_ascii_case(&wanted));
                text(found.map(|(_, value)| value.as_str()))
            }
        };
        Ok(Node::new(at, ty, Op::Source(array)))
    }

    fn rounding(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let value = self.bind(&arguments[0])?;
        if !value.is_null() && !is_number(value.ty) {
            return Err(Refusal::new(value.at, format!("`{name}` needs a number, found {}", value.ty)));
        }
        let own = if value.is_null() { ColumnType::Bigint } else { value.ty };
        let value = self.coerce(value, own)?;
        let places = match arguments.get(1) {
            Some(places) => self.places(places)?,
            None => 0,
        };
        let function = match name {
            "abs" => Function::Abs,
            "round" => Function::Round(places),
            "floor" => Function::Floor,
            _ => Function::Ceil,
        };
        let ty = match own {
            ColumnType::Decimal { precision, scale } if name != "abs" => {
                let kept = u8::try_from(places.clamp(0, i32::from(scale))).unwrap_or(scale);
                // Rounding up may need one digit more: 9.99 becomes 10.0.
                if kept == scale { own } else { decimal(precision - scale + 1, kept) }
            }
            own => own,
        };
        Ok(Node::new(at, ty, Op::Call(function, vec![value])))
    }

    fn places(&mut self, ast: &Ast) -> Result<i32, Refusal> {
        let node = self.bind(ast)?;
        if let Op::Constant(array, _) = &node.op
            && node.ty == ColumnType::Bigint
            && array.is_valid(0)
            && let Ok(places) = i32::try_from(array.as_primitive::<Int64Type>().value(0))
            && (-38..=38).contains(&places)
        {
            return Ok(places);
        }
        Err(Refusal::new(node.at, "round needs a whole number from -38 to 38 as its digits"))
    }

    fn parse_time(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let value = self.text(&arguments[0], name)?;
        let format = match arguments.get(1) {
            None => None,
            Some(ast) => {
                let format = self.constant_text(ast, "the format")?;
                let format = TimeFormat::parse(&format).map_err(|message| {
                    Refusal::new(ast.at, message).hint("a format is written like '%d-%m-%Y %H:%M:%S'")
                })?;
                Some(format)
            }
        };
        let ty = if name == "to_date" { ColumnType::Date } else { ColumnType::Timestamp };
        Ok(Node::new(at, ty, Op::Call(Function::ParseTime(format), vec![value])))
    }

    /// A date or a timestamp.
    fn moment(&mut self, ast: &Ast, name: &str) -> Result<Node, Refusal> {
        let node = self.bind(ast)?;
        if node.is_null() {
            return self.coerce(node, ColumnType::Timestamp);
        }
        match node.ty {
            ty if is_time(ty) => Ok(node),
            ty => {
                let refusal =
                    Refusal::new(node.at, format!("`{name}` needs a date or a timestamp, found {ty}"));
                Err(if ty == ColumnType::String {
                    refusal.hint("use to_date(text, format)")
                } else {
                    refusal
                })
            }
        }
    }

    fn truncate(&mut self, at: usize, arguments: &[Ast]) -> Result<Node, Refusal> {
        let unit = self.constant_text(&arguments[0], "the unit of date_trunc")?.to_ascii_lowercase();
        let Some(unit) = Unit::named(&unit) else {
            let refusal = Refusal::new(arguments[0].at, format!("there is no unit `{unit}`"));
            let near = nearest(&unit, Unit::NAMES.into_iter()).map(|near| format!("did you mean '{near}'?"));
            return Err(refusal.hint(near.unwrap_or_else(|| format!("units are {}", Unit::NAMES.join(", ")))));
        };
        let value = self.moment(&arguments[1], "date_trunc")?;
        if value.ty == ColumnType::Date && unit.is_within_day() {
            return Err(Refusal::new(at, "a date has no time of day to cut"));
        }
        Ok(Node::new(at, value.ty, Op::Call(Function::Truncate(unit), vec![value])))
    }

    fn part(&mut self, at: usize, name: &str, unit: Unit, argument: &Ast) -> Result<Node, Refusal> {
        let value = self.moment(argument, name)?;
        if value.ty == ColumnType::Date && unit.is_within_day() {
            return Err(Refusal::new(at, format!("a date has no {name}")));
        }
        Ok(Node::new(at, ColumnType::Bigint, Op::Call(Function::Part(unit), vec![value])))
    }

    fn text_function(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let mut nodes = vec![self.text(&arguments[0], name)?];
        let function = match name {
            "lower" => Function::Lower,
            "upper" => Function::Upper,
            "trim" => Function::Trim(true, true),
            "ltrim" => Function::Trim(true, false),
            "rtrim" => Function::Trim(false, true),
            "length" => Function::Length,
            "replace" => Function::Replace,
            "sha256" => Function::Sha256,
            "split_part" => Function::SplitPart,
            _ => Function::Substr,
        };
        for (number, argument) in arguments[1..].iter().enumerate() {
            nodes.push(match function {
                Function::Substr => self.whole(argument, name)?,
                Function::SplitPart if number == 1 => self.whole(argument, name)?,
                _ => self.text(argument, name)?,
            });
        }
        let ty = if matches!(function, Function::Length) { ColumnType::Bigint } else { ColumnType::String };
        Ok(Node::new(at, ty, Op::Call(function, nodes)))
    }

    fn json(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let value = self.text(&arguments[0], name)?;
        let Some(path) = arguments.get(1) else {
            return Ok(Node::new(at, ColumnType::Bigint, Op::Call(Function::JsonLength, vec![value])));
        };
        let text = self.constant_text(path, "the path of json_extract_scalar")?;
        let steps = json_functions::path(&text).map_err(|message| {
            Refusal::new(path.at, message).hint("a path is written like '$.name[0][\"a key\"]'")
        })?;
        Ok(Node::new(at, ColumnType::String, Op::Call(Function::JsonScalar(steps), vec![value])))
    }

    fn pattern(&mut self, at: usize, name: &str, arguments: &[Ast]) -> Result<Node, Refusal> {
        let value = self.text(&arguments[0], name)?;
        let text = self.constant_text(&arguments[1], &format!("the pattern of {name}"))?;
        let pattern = patterns::pattern(&text).map_err(|(message, hint)| {
            let refusal = Refusal::new(arguments[1].at, message);
            match hint {
                Some(hint) => refusal.hint(hint),
                None => refusal,
            }
        })?;
        let (ty, function) = match (name, arguments.get(2)) {
            ("regexp_like", _) => (ColumnType::Boolean, Function::RegexpLike(pattern)),
            ("regexp_extract", group) => {
                let group = group.map_or(Ok(0), |group| self.group(group, pattern.captures_len()))?;
                (ColumnType::String, Function::RegexpExtract(pattern, group))
            }
            (_, with) => {
                let text = match with {
                    Some(with) => self.constant_text(with, "the replacement of regexp_replace")?,
                    None => String::new(),
                };
                let place = with.map_or(at, |with| with.at);
                let pieces =
                    patterns::replacement(&text, &pattern).map_err(|message| Refusal::new(place, message))?;
                (ColumnType::String, Function::RegexpReplace(pattern, pieces))
            }
        };
        Ok(Node::new(at, ty, Op::Call(function, vec![value])))
    }

    /// The number of a group that a pattern has.
    fn group(&mut self, ast: &Ast, groups: usize) -> Result<usize, Refusal> {
        let node = self.bind(ast)?;
        let number = match &node.op {
            Op::Constant(array, _) if node.ty == ColumnType::Bigint && array.is_valid(0) => {
                usize::try_from(array.as_primitive::<Int64Type>().value(0)).ok()
            }
            _ => None,
        };
        number
            .filter(|number| *number < groups)
            .ok_or_else(|| Refusal::new(node.at, format!("the pattern has groups up to {}", groups - 1)))
    }

    fn whole(&mut self, ast: &Ast, name: &str) -> Result<Node, Refusal> {
        let node = self.bind(ast)?;
        if !node.is_null() && node.ty != ColumnType::Bigint {
            return Err(Refusal::new(node.at, format!("`{name}` needs a bigint, found {}", node.ty)));
        }
        self.coerce(node, ColumnType::Bigint)
    }
}

/// A moment that a host told.
fn moment(at: usize, ms: Option<i64>, what: &str) -> Result<(ColumnType, ArrayRef), Refusal> {
    if ms.is_some_and(|moment| !time::is_moment(moment)) {
        return Err(Refusal::new(at, format!("{what} is beyond the years 1 to 9999")));
    }
    Ok((ColumnType::Timestamp, Arc::new(TimestampMillisecondArray::from(vec![ms]))))
}
