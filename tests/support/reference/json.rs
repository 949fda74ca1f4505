//! JSON values for the reference: a recursive parser that keeps number source text and sees duplicate keys.
//!
//! For: the reference implementation. Not for: speed or deep input (the transform's own tokenizer is
//! what is under test). The decision to know: a wrong *grammar* is [`Wrong::Syntax`] and ends the text,
//! a wrong *value* (duplicate key, lone surrogate, number beyond the doubles) is [`Wrong::Value`] and
//! costs only its record, as the table of odd input in the design says.

/// One value with the text it was written as.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Exactly the bytes of the value in the input, without space around it.
    pub source: String,
    /// What it is.
    pub kind: Kind,
}

/// The six kinds of RFC 8259.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number; its text is the value's source.
    Number,
    /// A string, unescaped.
    Text(String),
    /// Elements in order.
    Array(Vec<Value>),
    /// Members in order.
    Object(Vec<(String, Value)>),
}

/// Why a text is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// RFC 8259 forbids it, at this byte.
    Syntax(usize),
    /// The grammar allows it, Lakegate does not: the code of the rejection.
    Value(&'static str),
}

/// Reads one value and the space around it; anything after it is a syntax error.
///
/// # Errors
/// The first syntax error, or, where the grammar holds, the first forbidden value.
pub fn parse(text: &str) -> Result<Value, Wrong> {
    let mut parser = Parser { text, at: 0, wrong: None };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(Wrong::Syntax(parser.at));
    }
    parser.wrong.map_or(Ok(value), |code| Err(Wrong::Value(code)))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// First forbidden value: told only when the whole text keeps the grammar.
    wrong: Option<&'static str>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn forbid(&mut self, code: &'static str) {
        self.wrong.get_or_insert(code);
    }

    fn expect(&mut self, literal: &str) -> Result<(), Wrong> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return Err(Wrong::Syntax(self.at));
        }
        self.at += literal.len();
        Ok(())
    }

    fn value(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        let kind = match self.peek().ok_or(Wrong::Syntax(self.at))? {
            b'n' => self.expect("null").map(|()| Kind::Null)?,
            b't' => self.expect("true").map(|()| Kind::Boolean(true))?,
            b'f' => self.expect("false").map(|()| Kind::Boolean(false))?,
            b'"' => Kind::Text(self.string()?),
            b'[' => self.array()?,
            b'{' => self.object()?,
            _ => self.number()?,
        };
        Ok(Value { source: self.text[start..self.at].to_owned(), kind })
    }

    fn array(&mut self) -> Result<Kind, Wrong> {
        let mut items = Vec::new();
        self.expect("[")?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(items));
        }
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(Wrong::Syntax(self.at)),
            }
        }
        self.at += 1;
        Ok(Kind::Array(items))
    }

    fn object(&mut self) -> Result<Kind, Wrong> {
        let mut members: Vec<(String, Value)> = Vec::new();
        self.expect("{")?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        loop {
            self.space();
            let key = self.string()?;
            if members.iter().any(|(known, _)| *known == key) {
                self.forbid("duplicate_key");
            }
            self.space();
            self.expect(":")?;
            self.space();
            members.push((key, self.value()?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(Wrong::Syntax(self.at)),
            }
        }
        self.at += 1;
        Ok(Kind::Object(members))
    }

    fn number(&mut self) -> Result<Kind, Wrong> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if self.text[start..self.at].parse().is_ok_and(f64::is_infinite) {
            self.forbid("number_out_of_range");
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(Wrong::Syntax(start)) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, Wrong> {
        self.expect("\"")?;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let next = rest.chars().next().ok_or(Wrong::Syntax(self.at))?;
            match next {
                '"' => break,
                '\\' => out.push(self.escape()?),
                '\0'..='\u{1f}' => return Err(Wrong::Syntax(self.at)),
                other => {
                    out.push(other);
                    self.at += other.len_utf8();
                }
            }
        }
        self.at += 1;
        Ok(out)
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        self.at += 1;
        let letter = self.peek().ok_or(Wrong::Syntax(self.at))?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return Err(Wrong::Syntax(self.at - 1)),
        })
    }

    /// The four hex digits after `\u`, and the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char, Wrong> {
        let first = self.hex4()?;
        if let Some(plain) = char::from_u32(first) {
            return Ok(plain);
        }
        let second_follows = self.text.as_bytes()[self.at..].starts_with(b"\\u");
        if first < 0xDC00 && second_follows {
            let before = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).ok_or(Wrong::Syntax(before));
            }
            self.at = before;
        }
        self.forbid("lone_surrogate");
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, Wrong> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(Wrong::Syntax(self.at))?;
        if let Some(bad) = digits.iter().position(|byte| !byte.is_ascii_hexdigit()) {
            return Err(Wrong::Syntax(self.at + bad));
        }
        let code = digits.iter().fold(0, |sum, byte| sum * 16 + char::from(*byte).to_digit(16).unwrap_or(0));
        self.at += 4;
        Ok(code)
    }
}
