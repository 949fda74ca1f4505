//! The text of an expression as tokens with their byte offsets.
//!
//! For: the parser. Not for: meaning; a keyword is a plain word here. The decision to know: our own
//! scanner and parser replace the `sqlparser` crate, whose expression parser alone adds 2.1 MB to
//! the component, because it cannot parse an expression without being able to parse every statement.

use super::error::Refusal;

/// Longest expression in bytes. Nobody writes a longer one by hand, and it bounds the work of a
/// hostile spec.
pub(super) const MAX_SQL_BYTES: usize = 64 << 10;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name without quotes, as written.
    Word(String),
    /// A name in double quotes or backticks, unescaped.
    Quoted(String),
    /// Digits with at most one point and an exponent, as written.
    Number(String),
    /// Text in single quotes, unescaped.
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// After the last token.
    End,
}

impl Token {
    /// For messages: what was found.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) | Self::Number(word) => format!("`{word}`"),
            Self::Quoted(name) => format!("the name \"{name}\""),
            Self::Text(_) => "a text literal".into(),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::End => "the end".into(),
        }
    }
}

/// Longer ones first, since the first that fits is taken.
const SYMBOLS: [&str; 18] =
    ["<>", "!=", "<=", ">=", "||", "==", "::", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", ","];

/// All tokens of `sql`, each with its byte offset, ending with [`Token::End`].
pub(super) fn scan(sql: &str) -> Result<Vec<(Token, usize)>, Refusal> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(Refusal::new(0, format!("an expression may have {MAX_SQL_BYTES} bytes at most")));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, length) = token(rest, first, at)?;
        tokens.push((token, at));
        at += length;
    }
    tokens.push((Token::End, sql.len()));
    Ok(tokens)
}

fn token(rest: &str, first: char, at: usize) -> Result<(Token, usize), Refusal> {
    match first {
        '\'' => quoted(rest, '\'', at).map(|(text, length)| (Token::Text(text), length)),
        '"' | '`' => quoted(rest, first, at).map(|(name, length)| (Token::Quoted(name), length)),
        '0'..='9' | '.' => number(rest, at),
        _ if first == '_' || first.is_alphabetic() => {
            let length = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            Ok((Token::Word(rest[..length].into()), length))
        }
        _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => Ok((Token::Symbol(symbol), symbol.len())),
            None => Err(Refusal::new(at, format!("`{}` has no meaning here", first.escape_default()))),
        },
    }
}

/// The content of a quoted token and its length with quotes; a doubled quote stands for itself.
fn quoted(rest: &str, quote: char, at: usize) -> Result<(String, usize), Refusal> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return Ok((text, i + 1));
        }
    }
    Err(Refusal::new(at, "a quote is opened here and never closed"))
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), Refusal> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut length = whole;
    if bytes.get(length) == Some(&b'.') {
        length = digits(length + 1);
        if length == whole + 1 && whole == 0 {
            return Err(Refusal::new(at, "`.` has no meaning here").hint(
                "columns are named alone, without a table; a name with a point in it takes double quotes",
            ));
        }
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        if bytes.get(length + 1 + sign).is_some_and(u8::is_ascii_digit) {
            length = digits(length + 1 + sign);
        }
    }
    if rest[length..].starts_with(|c: char| c == '_' || c == '.' || c.is_alphanumeric()) {
        return Err(Refusal::new(at, "a number runs into a name")
            .hint("a column whose name begins with a digit takes double quotes"));
    }
    Ok((Token::Number(rest[..length].into()), length))
}
