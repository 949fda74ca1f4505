//! One JSON line an event of `tracing`, as Lambda and CloudWatch Logs Insights like them.
//!
//! For: `timestamp`, `level`, and every field of the event and of the spans around it, flat at the top, so
//! that `requestId` is found where Lambda's own lines have it. Not for what to say at which stage (`stage`).
//!
//! The decision to know: libraries are heard from `warn` on only, whatever the level. What they say below
//! that is about single requests and may hold bodies, and a log holds no values of records.

use std::fmt::{Debug, Write as _};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::source::now_ms;

/// Environment variable with the level: `error`, `warn`, `info`, `debug`, `trace` or `off`.
pub const ENVIRONMENT: &str = "LAKEGATE_LOG";

/// Lambda's own, set by the function's logging configuration; [`ENVIRONMENT`] wins.
pub const LAMBDA_ENVIRONMENT: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Longest text of a field in bytes. CloudWatch Logs cuts an event at 256 KiB in the middle of its JSON,
/// and an SDK's error may bring a whole page of HTML.
const TEXT_BYTES: usize = 4096;

/// Targets of this project: the library and its binaries.
const OWN: [&str; 2] = ["lakegate", "bootstrap"];

/// Says every error of an event once more, without whose it is: that was said already.
const ECHO: &str = "lambda_runtime::layers::panic";

/// Keys that every line has; a field of that name gets a `_` in front.
const RESERVED: [&str; 4] = ["timestamp", "level", "message", "target"];

/// The level that the environment asks for; `info` where it asks for none, or for one that does not exist.
pub fn level() -> LevelFilter {
    let read = |name| std::env::var(name).ok();
    level_of(read(ENVIRONMENT).as_deref(), read(LAMBDA_ENVIRONMENT).as_deref())
}

fn level_of(own: Option<&str>, lambda: Option<&str>) -> LevelFilter {
    let parse = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "" => None,
        // Lambda knows one level more.
        "fatal" => Some(LevelFilter::ERROR),
        name => name.parse().ok(),
    };
    own.and_then(parse).or_else(|| lambda.and_then(parse)).unwrap_or(LevelFilter::INFO)
}

/// Sends all events of this process to `out` from now on. Lines come whole: one `write_all` each.
///
/// # Errors
/// `log_installed`: somebody did this before.
pub fn install(out: impl Write + Send + 'static, level: LevelFilter) -> Result<()> {
    tracing::subscriber::set_global_default(subscriber(out, level))
        .map_err(|_| Error::new(Code::LogInstalled, "the process has a log already"))
}

/// The same for a part of a process, with `tracing::subscriber::with_default`.
pub fn subscriber(out: impl Write + Send + 'static, level: LevelFilter) -> impl Subscriber + Send + Sync {
    Registry::default().with(JsonLines::new(out, level))
}

/// The layer behind [`subscriber`]. It decides what is enabled, so it is to be the only one.
pub struct JsonLines<W> {
    out: Mutex<W>,
    level: LevelFilter,
    clock: fn() -> i64,
}

impl<W: Write> JsonLines<W> {
    /// Lines of `level` and worse to `out`.
    pub fn new(out: W, level: LevelFilter) -> Self {
        Self { out: Mutex::new(out), level, clock: now_ms }
    }

    fn write(&self, line: &Map<String, Value>) {
        // A map of texts and numbers can always be written.
        let Ok(mut bytes) = serde_json::to_vec(line) else { return };
        bytes.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // There is nowhere to tell that the log cannot be written, and no object fails for it.
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
    }
}

fn is_own(target: &str) -> bool {
    OWN.iter().any(|own| target.starts_with(own))
}

/// The fields of a span, kept with it.
struct Kept(Map<String, Value>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + Send + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let foreign = !is_own(metadata.target()) && *metadata.level() > Level::WARN;
        *metadata.level() <= self.level && !foreign && metadata.target() != ECHO
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Map::new();
        attributes.record(&mut Fields(&mut fields));
        span.extensions_mut().insert(Kept(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Kept(fields)) = span.extensions_mut().get_mut() {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Map::new();
        line.insert("timestamp".into(), rfc3339((self.clock)()).into());
        line.insert("level".into(), metadata.level().as_str().into());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(Kept(fields)) = span.extensions().get() {
                line.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        event.record(&mut Fields(&mut line));
        if !is_own(metadata.target()) {
            line.insert("target".into(), metadata.target().into());
        }
        self.write(&line);
    }
}

/// Puts fields into a map; the inner of two with one name wins.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        let free = name == "message" || !RESERVED.contains(&name);
        self.0.insert(if free { name.to_owned() } else { format!("_{name}") }, value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, cut(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, cut(value.to_string()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.put(field, cut(text));
    }
}

/// At most [`TEXT_BYTES`], with a sign where something is missing.
fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text.push('…');
    }
    text
}

#[cfg(test)]
#[path = "log_tests.rs"]
pub(crate) mod tests;
