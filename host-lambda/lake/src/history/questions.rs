//! What people ask a pipeline's history, in Athena's SQL (Trino's).
//!
//! Not for running them. Decisions to know:
//!
//! * A load that was given up after its commit, and one that took rows out, brought nothing: no question counts them.
//! * Every question of the loads names a range of days, which is what Athena works out the folders from.
//! * A price is a number that the caller knows: none is written down here. What a load cost is what can be told from its
//!   line: how long it took, what it asked of the lake, what it wrote.

use serde::Serialize;

/// What the questions are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked<'a> {
    /// Database of both tables.
    pub database: &'a str,
    /// Name of the table of loads.
    pub loads: &'a str,
    /// Name of the table of failures.
    pub failures: &'a str,
    /// Seconds within which an object is due, where that is said.
    pub expect_every: Option<u64>,
    /// What things cost.
    pub prices: Prices,
}

/// Dollars, as the account pays them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prices {
    /// Memory of the function in MiB.
    pub memory_mib: u32,
    /// A GiB of memory for a second.
    pub gib_second: f64,
    /// A thousand requests to S3.
    pub thousand_requests: f64,
    /// A GiB in S3 for a month.
    pub gib_month: f64,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Short name.
    pub name: &'static str,
    /// What it answers.
    pub description: &'static str,
    /// The query.
    pub sql: String,
}

/// The longest that an invocation lasts: a load that another process completed says how long that took to come.
const MOST_MILLISECONDS: u32 = 900_000;
/// How far back questions look.
const DAYS: u32 = 30;
/// Longer than an object can be due.
const DUE_DAYS: u32 = 100;

/// All questions.
pub fn questions(asked: &Asked<'_>) -> Vec<Question> {
    vec![came_in(asked), missing(asked), late(asked), cost(asked), releases(asked)]
}

fn table(database: &str, name: &str) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    format!("{}.{}", quoted(database), quoted(name))
}

fn since(days: u32) -> String {
    format!("day >= CAST(CAST(current_date - INTERVAL '{days}' DAY AS date) AS varchar)")
}

const COUNTS: &str = "void IS NULL AND reason <> 'retract'";
/// What an operator makes again, submits again or takes away came before.
const BROUGHT: &str = "void IS NULL AND reason IN ('new', 'content')";

fn came_in(asked: &Asked<'_>) -> Question {
    let (loads, since) = (table(asked.database, asked.loads), since(DAYS));
    Question {
        name: "what_came_in",
        description: "Objects, records and rows of each of the last 30 days, and how many records were rejected",
        sql: format!(
            "SELECT day,
       count(DISTINCT source) AS objects,
       count(*) AS loads,
       sum(records) AS records,
       sum(rejected) AS rejected,
       100e0 * sum(rejected) / nullif(sum(records), 0) AS rejected_percent,
       sum(rows) AS rows_written,
       sum(bytes_in) AS bytes_in,
       sum(bytes) AS bytes_written
FROM {loads}
WHERE {since} AND {COUNTS}
GROUP BY day
ORDER BY day DESC
"
        ),
    }
}

fn missing(asked: &Asked<'_>) -> Question {
    let (loads, failures) = (table(asked.database, asked.loads), table(asked.database, asked.failures));
    Question {
        name: "what_is_missing",
        description: "Objects that failed and that no later load has brought, the newest first",
        sql: format!(
            "SELECT f.\"at\" AS failed, f.source.uri AS source, f.code, f.message, f.hint, f.place, f.id
FROM {failures} f
LEFT JOIN (
  SELECT source, max(committed) AS committed
  FROM {loads}
  WHERE day >= '{}' AND void IS NULL
  GROUP BY source
) l ON l.source = f.source.uri
WHERE f.code = 'generation_lost' OR l.committed IS NULL OR l.committed < f.\"at\"
ORDER BY failed DESC
",
            super::FIRST_DAY
        ),
    }
}

fn late(asked: &Asked<'_>) -> Question {
    let (loads, since) = (table(asked.database, asked.loads), since(DUE_DAYS));
    let ago = "date_diff('second', from_iso8601_timestamp(max(done)), current_timestamp)";
    let due = asked.expect_every.map_or_else(
        || "CAST(NULL AS bigint) AS expected_every, false AS overdue".to_owned(),
        |seconds| format!("{seconds} AS expected_every, {ago} > {seconds} AS overdue"),
    );
    Question {
        name: "is_it_late",
        description: "When the newest object was loaded, how long ago that is, and whether one is overdue",
        sql: format!(
            "SELECT pipeline,
       max(done) AS last_load,
       {ago} AS seconds_ago,
       {due}
FROM {loads}
WHERE {since} AND {BROUGHT}
GROUP BY pipeline
"
        ),
    }
}

fn cost(asked: &Asked<'_>) -> Question {
    let (loads, since) = (table(asked.database, asked.loads), since(DAYS));
    let Prices { memory_mib, gib_second, thousand_requests, gib_month } = asked.prices;
    let seconds = format!("sum(least(milliseconds, {MOST_MILLISECONDS})) / 1000e0");
    // A price in the text is a double: a decimal's digits would run out in the product.
    let compute = format!("{seconds} * {:e} * {gib_second:e}", f64::from(memory_mib) / 1024.0);
    let requests = format!("sum(coalesce(requests, 0)) * {thousand_requests:e} / 1000e0");
    Question {
        name: "what_did_it_cost",
        description: "Dollars of each of the last 30 days: the function's time, requests to the lake, and storage for a month",
        sql: format!(
            "SELECT day,
       count(*) AS loads,
       {seconds} AS seconds,
       {compute} AS compute_dollars,
       sum(coalesce(requests, 0)) AS requests,
       {requests} AS request_dollars,
       sum(bytes) / 1073741824e0 AS gib_written,
       sum(bytes) / 1073741824e0 * {gib_month:e} AS storage_dollars_a_month,
       ({compute} + {requests}) / nullif(sum(bytes_in) / 1073741824e0, 0) AS dollars_per_gib_in
FROM {loads}
WHERE {since}
GROUP BY day
ORDER BY day DESC
"
        ),
    }
}

fn releases(asked: &Asked<'_>) -> Question {
    let (loads, since) = (table(asked.database, asked.loads), since(DAYS));
    Question {
        name: "which_releases",
        description: "Which releases loaded what in the last 30 days, and how they did",
        sql: format!(
            "SELECT coalesce(release, 'component ' || substr(component, 1, 12)) AS made_by,
       substr(spec, 1, 12) AS spec,
       min(committed) AS first_load,
       max(committed) AS last_load,
       count(*) AS loads,
       sum(records) AS records,
       100e0 * sum(rejected) / nullif(sum(records), 0) AS rejected_percent,
       sum(milliseconds) / count(*) AS milliseconds_a_load
FROM {loads}
WHERE {since} AND {COUNTS}
GROUP BY 1, 2
ORDER BY last_load DESC
"
        ),
    }
}
