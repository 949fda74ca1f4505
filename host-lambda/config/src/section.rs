//! One section of the text: its own keys over those of `[defaults]`.
//!
//! Not for what a key means. The decision to know: whatever is asked for and not right is reported here, at
//! its place, and reads as absent; so the code that reads goes on to the next key. Defaults may hold keys
//! that one pipeline has no use for; that is a mistake only where the pipeline itself says them.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use crate::keys::{Keys, Kind};
use crate::mistake::{Mistakes, Wrong};
use crate::nearest::nearest;

/// A section being read.
pub(super) struct Section<'a> {
    keys: &'static Keys,
    own: Option<&'a DeTable<'a>>,
    base: Option<&'a DeTable<'a>>,
    /// Byte offset of its name, for what is missing.
    pub(super) offset: usize,
    pub(super) mistakes: &'a Mistakes<'a>,
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<T> {
    pub(super) value: T,
    /// Byte offset of the value.
    pub(super) offset: usize,
    /// Whether the pipeline itself says it, and not the defaults.
    pub(super) own: bool,
}

impl<T> Field<T> {
    fn with<U>(&self, value: U) -> Field<U> {
        Field { value, offset: self.offset, own: self.own }
    }
}

impl<'a> Section<'a> {
    /// Reports the keys that do not belong here.
    pub(super) fn new(
        keys: &'static Keys,
        own: Option<&'a DeTable<'a>>,
        base: Option<&'a DeTable<'a>>,
        offset: usize,
        mistakes: &'a Mistakes<'a>,
    ) -> Self {
        for (key, _) in own.into_iter().chain(base).flat_map(DeTable::iter) {
            let name: &str = key.get_ref();
            if !keys.has(name) {
                let message = format!("`{name}` is no key of {}", keys.title);
                mistakes.wrong(key.span().start, Wrong::new(message).hint(keys.hint(name)));
            }
        }
        Self { keys, own, base, offset, mistakes }
    }

    fn value(&self, key: &str) -> Option<Field<&'a DeValue<'a>>> {
        debug_assert!(self.keys.has(key), "{key} is read but not known");
        let find = |table: Option<&'a DeTable<'a>>, own: bool| {
            let value = table?.get(key)?;
            Some(Field { value: value.get_ref(), offset: value.span().start, own })
        };
        find(self.own, true).or_else(|| find(self.base, false))
    }

    /// Whether the pipeline itself has the key.
    pub(super) fn has_own(&self, key: &str) -> bool {
        self.own.is_some_and(|own| own.contains_key(key))
    }

    /// Whether the key is there, own or as a default.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Where the value below a path of keys such as `notify.success` stands, own or a default.
    pub(super) fn place(&self, path: &str) -> Option<usize> {
        let find = |table: Option<&'a DeTable<'a>>| {
            let mut parts = path.split('.');
            let mut value = table?.get(parts.next()?)?;
            for part in parts {
                value = value.get_ref().as_table()?.get(part)?;
            }
            Some(value.span().start)
        };
        find(self.own).or_else(|| find(self.base))
    }

    /// The same section over what `defaults` says itself.
    pub(super) fn over(self, defaults: Option<&Section<'a>>) -> Self {
        Self { base: defaults.and_then(|defaults| defaults.own), ..self }
    }

    pub(super) fn wrong<T>(&self, field: &Field<T>, wrong: Wrong) {
        self.mistakes.wrong(field.offset, wrong);
    }

    /// Reports that `key` must be there, unless it is: what is wrong with it was told already.
    pub(super) fn missing(&self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        if self.value(key).is_none() {
            self.mistakes.missing(self.offset, Wrong::new(message).hint(hint));
        }
    }

    /// Reports each of `keys` that is there although nothing comes of it. One among the defaults is none of
    /// that when the pipeline itself `decided` against it.
    pub(super) fn of_no_use(&self, keys: &[&str], decided: bool, why: &str) {
        for key in keys {
            let find = |table: Option<&'a DeTable<'a>>| table?.get_key_value(*key);
            let base = if decided { None } else { find(self.base) };
            if let Some((name, _)) = find(self.own).or(base) {
                self.mistakes.wrong(name.span().start, Wrong::new(format!("`{key}` {why}")));
            }
        }
    }

    /// What the value of a key may be.
    pub(super) fn kind(&self, key: &str) -> Kind {
        self.keys.kind(key)
    }

    fn another_type<T>(&self, key: &str, field: &Field<&DeValue<'_>>, wanted: &str) -> Option<T> {
        let found = field.value.type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.wrong(field, Wrong::new(format!("`{key}` is {wanted}, not {article} {found}")));
        None
    }

    /// A text that is not blank.
    pub(super) fn text(&self, key: &str) -> Option<Field<&'a str>> {
        let field = self.value(key)?;
        match field.value {
            DeValue::String(text) if text.trim().is_empty() => {
                self.wrong(&field, Wrong::new(format!("`{key}` is empty")));
                None
            }
            DeValue::String(text) => Some(field.with(&**text)),
            _ => self.another_type(key, &field, self.kind(key).wanted()),
        }
    }

    /// A text that a check turns into a value.
    pub(super) fn checked<T>(
        &self,
        key: &str,
        check: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Field<T>> {
        let field = self.text(key)?;
        match check(field.value) {
            Ok(value) => Some(field.with(value)),
            Err(wrong) => {
                self.wrong(&field, wrong);
                None
            }
        }
    }

    /// One of several words.
    pub(super) fn one_of<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<Field<T>> {
        debug_assert!(
            matches!(self.kind(key), Kind::Words(known) if known.iter().eq(words.iter().map(|(word, _)| word))),
            "the words of {key} are others in the list of keys"
        );
        self.checked(key, |text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
                let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                let wrong = Wrong::new(format!("`{key}` is one of {}", all.join(", ")));
                match nearest(text, words.iter().map(|(word, _)| *word)) {
                    Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
                    None => wrong,
                }
            })
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str) -> Option<Field<bool>> {
        let field = self.value(key)?;
        match field.value {
            DeValue::Boolean(flag) => Some(field.with(*flag)),
            _ => self.another_type(key, &field, self.kind(key).wanted()),
        }
    }

    /// What is true, false or a number: `Err` holds the number.
    pub(super) fn flag_or_number(&self, key: &str) -> Option<Field<Result<bool, i64>>> {
        let field = self.value(key)?;
        match field.value {
            DeValue::Boolean(flag) => Some(field.with(Ok(*flag))),
            DeValue::Integer(_) => Some(field.with(Err(integer(field.value)?))),
            _ => self.another_type(key, &field, self.kind(key).wanted()),
        }
    }

    /// What is true, false or a text that a check turns into a value: `Err` holds that.
    pub(super) fn flag_or_text<T>(
        &self,
        key: &str,
        check: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Result<bool, T>> {
        let field = self.value(key)?;
        match field.value {
            DeValue::Boolean(flag) => Some(Ok(*flag)),
            DeValue::String(_) => self.checked(key, check).map(|found| Err(found.value)),
            _ => self.another_type(key, &field, self.kind(key).wanted()),
        }
    }

    /// A whole number.
    pub(super) fn whole(&self, key: &str) -> Option<Field<i64>> {
        let field = self.value(key)?;
        match integer(field.value) {
            Some(number) => Some(field.with(number)),
            None => self.another_type(key, &field, self.kind(key).wanted()),
        }
    }

    /// A whole number, or a text that a check turns into one.
    pub(super) fn number_or<T>(
        &self,
        key: &str,
        number: impl FnOnce(i64) -> Result<T, Wrong>,
        text: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Field<T>> {
        let field = self.value(key)?;
        let read = match field.value {
            DeValue::String(written) => text(written),
            value => match integer(value) {
                Some(value) => number(value),
                None => return self.another_type(key, &field, self.kind(key).wanted()),
            },
        };
        read.map_err(|wrong| self.wrong(&field, wrong)).ok().map(|value| field.with(value))
    }

    /// A text or a list of texts.
    pub(super) fn texts(&self, key: &str) -> Option<Field<Vec<Field<&'a str>>>> {
        let field = self.value(key)?;
        let one = |value: &Field<&'a DeValue<'a>>| match value.value {
            DeValue::String(text) => Some(value.with(&**text)),
            _ => self.another_type(key, value, self.kind(key).wanted()),
        };
        let DeValue::Array(values) = field.value else {
            return one(&field).map(|text| field.with(vec![text]));
        };
        let all = values
            .iter()
            .map(|value| one(&Field { value: value.get_ref(), offset: value.span().start, own: field.own }));
        Some(field.with(all.collect::<Option<Vec<_>>>()?))
    }

    /// A list of two, each a text or a number, as text.
    pub(super) fn pair(&self, key: &str) -> Option<Field<[String; 2]>> {
        let field = self.value(key)?;
        let text = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(text.to_string()),
            other => integer(other).map(|number| number.to_string()),
        };
        let values: Option<Vec<String>> = field
            .value
            .as_array()
            .and_then(|values| values.iter().map(|value| text(value.get_ref())).collect());
        match values.map(<[String; 2]>::try_from) {
            Some(Ok(pair)) => Some(field.with(pair)),
            _ => {
                self.wrong(&field, Wrong::new(format!("`{key}` is {}", self.kind(key).wanted())));
                None
            }
        }
    }

    /// A section inside this one; `None` when neither the pipeline nor the defaults have it.
    pub(super) fn section(&self, key: &str, keys: &'static Keys) -> Option<Section<'a>> {
        let (own, base) = (self.table(self.own, key), self.table(self.base, key));
        let offset = own.or(base)?.1;
        let table = |found: Option<(&'a DeTable<'a>, usize)>| found.map(|(table, _)| table);
        Some(Section::new(keys, table(own), table(base), offset, self.mistakes))
    }

    /// Sections by a name that is free, such as a column's.
    pub(super) fn sections(&self, key: &str, keys: &'static Keys) -> Vec<(&'a str, Section<'a>)> {
        let (own, base) = (self.table(self.own, key), self.table(self.base, key));
        let both = [own, base].into_iter().flatten();
        let names: BTreeSet<&'a str> =
            both.flat_map(|(table, _)| table.keys().map(|key| &**key.get_ref())).collect();
        let table = |of: Option<(&'a DeTable<'a>, usize)>, name: &str| {
            of.and_then(|(of, _)| self.table(Some(of), name))
        };
        names
            .into_iter()
            .filter_map(|name| {
                let (own, base) = (table(own, name), table(base, name));
                let offset = own.or(base)?.1;
                let section =
                    Section::new(keys, own.map(|own| own.0), base.map(|base| base.0), offset, self.mistakes);
                Some((name, section))
            })
            .collect()
    }

    /// The table below `key`, and the offset of that key.
    fn table(&self, of: Option<&'a DeTable<'a>>, key: &str) -> Option<(&'a DeTable<'a>, usize)> {
        let (name, value) = of?.get_key_value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((table, name.span().start)),
            other => {
                let field = Field { value: other, offset: value.span().start, own: true };
                self.another_type(key, &field, Kind::Section.wanted())
            }
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
