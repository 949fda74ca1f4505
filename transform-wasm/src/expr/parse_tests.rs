//! What the parser and the binder accept and refuse, with places and hints.

use std::fmt::Write as _;

use super::{Env, Expr, ExprError, SourceEnv};
use crate::column::ColumnType;

fn columns() -> Vec<(String, ColumnType)> {
    [
        ("quantity", ColumnType::Bigint),
        ("price", ColumnType::Double),
        ("amount", ColumnType::Decimal { precision: 10, scale: 2 }),
        ("customer_name", ColumnType::String),
        ("order_date", ColumnType::Date),
        ("created_at", ColumnType::Timestamp),
        ("paid", ColumnType::Boolean),
        ("tags", ColumnType::Json),
        ("date", ColumnType::Date),
        ("order", ColumnType::String),
        ("case", ColumnType::Bigint),
    ]
    .map(|(name, ty)| (name.to_owned(), ty))
    .to_vec()
}

fn with_env<T>(f: impl FnOnce(&Env<'_>) -> T) -> T {
    let source = SourceEnv {
        uri: "file:///in/orders.json".into(),
        event_time: Some(86_400_000),
        partitions: vec![("ingest_date".into(), "2025-01-02".into())],
        ..SourceEnv::default()
    };
    f(&Env { columns: &columns(), source: &source, tz_offset_ms: 0 })
}

fn parse(sql: &str) -> Result<Expr, ExprError> {
    with_env(|env| Expr::parse(sql, env))
}

fn ty(sql: &str) -> String {
    parse(sql).map_or_else(|error| panic!("{sql}: {error} ({:?})", error.hint), |expr| expr.ty().to_string())
}

/// Message, hint, line and column of the refusal.
fn refusal(sql: &str) -> (String, String, u32, u32) {
    let error = parse(sql).err().unwrap_or_else(|| panic!("{sql} was accepted"));
    (error.message, error.hint.unwrap_or_default(), error.line, error.column)
}

#[test]
fn types_of_results() {
    for (sql, expected) in [
        ("quantity + 1", "bigint"),
        ("quantity / 2", "double"),
        ("quantity % 2", "bigint"),
        ("quantity * price", "double"),
        ("quantity * 1.5", "double"),
        ("amount * 1.5", "decimal(12,3)"),
        ("amount + 1", "decimal(11,2)"),
        ("amount + quantity", "decimal(22,2)"),
        ("amount * amount", "decimal(20,4)"),
        ("amount / 3", "decimal(14,6)"),
        ("amount % 7", "decimal(3,2)"),
        ("amount * price", "double"),
        ("-amount", "decimal(10,2)"),
        ("12345678901234567890", "decimal(20,0)"),
        ("-9223372036854775808", "bigint"),
        ("1e3", "double"),
        ("order_date - order_date", "bigint"),
        ("order_date - '2025-01-01'", "bigint"),
        ("order_date + 30", "date"),
        ("30 + order_date", "date"),
        ("order_date > '2025-01-01'", "boolean"),
        ("created_at >= order_date", "boolean"),
        ("COALESCE(quantity, 0.5)", "double"),
        ("COALESCE(amount, 0.5)", "decimal(10,2)"),
        ("CASE WHEN paid THEN quantity ELSE NULL END", "bigint"),
        ("tags", "string"),
        ("date", "date"),
        ("date = DATE '2025-01-01'", "boolean"),
        ("year(order_date)", "bigint"),
        ("date_trunc('month', created_at)", "timestamp"),
        ("date_trunc('month', order_date)", "date"),
        ("round(amount, 1)", "decimal(10,1)"),
        ("floor(amount)", "decimal(9,0)"),
        ("source_uri()", "string"),
        ("event_time()", "timestamp"),
        ("load_time()", "timestamp"),
        ("source_name()", "string"),
        ("source_size()", "bigint"),
        ("record_number() + 1", "bigint"),
        ("CAST(created_at AS timestamp(6))", "timestamp(6)"),
        ("CAST(created_at AS timestamp(3))", "timestamp"),
        ("TIMESTAMP '2025-01-01T00:00:00.000001Z'", "timestamp(6)"),
        ("TIMESTAMP '2025-01-01T00:00:00.001000Z'", "timestamp"),
        ("COALESCE(created_at, CAST(order_date AS timestamp(6)))", "timestamp(6)"),
        ("CAST(NULL AS decimal(5,2))", "decimal(5,2)"),
        ("CAST(price AS DOUBLE PRECISION)", "double"),
        ("customer_name || '!' || \"order\"", "string"),
        ("\"case\" + 1", "bigint"),
        ("QUANTITY+Price -- a comment\n + 1", "double"),
    ] {
        assert_eq!(ty(sql), expected, "{sql}");
    }
}

#[test]
fn columns_and_source_are_known() {
    let expr = parse("price * quantity + price").unwrap();
    assert_eq!(expr.columns(), [0, 1]);
    assert!(!expr.uses_source());
    // What follows from the object's bytes is the same everywhere.
    for (sql, source, records) in [
        ("source_partition('INGEST_DATE')", true, false),
        ("source_name()", true, false),
        ("load_time()", true, false),
        ("source_size()", false, false),
        ("record_number()", false, true),
        ("source_name() || CAST(record_number() AS string)", true, true),
    ] {
        let expr = parse(sql).unwrap();
        assert_eq!((expr.uses_source(), expr.uses_records()), (source, records), "{sql}");
    }
}

#[test]
fn aliases() {
    let alias = |sql: &str| with_env(|env| Expr::parse_aliased(sql, env).map(|(_, alias)| alias));
    assert_eq!(alias("year(order_date) AS year").unwrap(), Some("year".into()));
    assert_eq!(alias("Order_Date").unwrap(), Some("order_date".into()));
    assert_eq!(alias("order_date as \"The Day\"").unwrap(), Some("The Day".into()));
    assert_eq!(alias("year(order_date)").unwrap(), None);
    assert!(alias("order_date AS").is_err());
    assert_eq!(refusal("quantity AS q").0, "a name given with AS is not possible here");
}

#[test]
fn unknown_names_have_hints() {
    assert_eq!(
        refusal("quantiy * price"),
        ("there is no column `quantiy`".into(), "did you mean `quantity`?".into(), 1, 1)
    );
    assert_eq!(
        refusal("1 +\n  lenght('é') + é"),
        ("there is no function `lenght`".into(), "did you mean `length`?".into(), 2, 3)
    );
    assert_eq!(refusal("CAST(price AS bigin)").1, "use bigint");
    assert_eq!(refusal("date_trunc('mont', order_date)").1, "did you mean 'month'?");
    assert!(
        refusal("customer_name = \"Alice\"")
            .1
            .starts_with("a text takes single quotes; columns are quantity,")
    );
}

#[test]
fn types_are_checked() {
    for (sql, message) in [
        ("'a' + 1", "`+` cannot take string and bigint"),
        ("customer_name + 'x'", "`+` cannot take string and string"),
        ("price > 'x'", "a comparison cannot bring double and string together"),
        ("paid + 1", "`+` cannot take boolean and bigint"),
        ("NOT quantity", "NOT needs a boolean, found bigint"),
        ("quantity AND paid", "AND needs a boolean, found bigint"),
        ("paid OR 1", "OR needs a boolean, found bigint"),
        ("quantity IS TRUE", "IS TRUE or FALSE needs a boolean, found bigint"),
        ("lower(quantity)", "lower needs a string, found bigint"),
        ("quantity || 'x'", "`||` needs a string, found bigint"),
        ("quantity LIKE '1%'", "LIKE needs a string, found bigint"),
        ("year(customer_name)", "`year` needs a date or a timestamp, found string"),
        ("hour(order_date)", "a date has no hour"),
        ("round(price, quantity)", "round needs a whole number from -38 to 38 as its digits"),
        ("abs(customer_name)", "`abs` needs a number, found string"),
        ("quantity IN (1, 'a')", "IN cannot bring bigint and string together"),
        ("CASE WHEN paid THEN 1 ELSE 'a' END", "CASE cannot bring bigint and string together"),
        ("CAST(paid AS date)", "a boolean cannot be cast to date"),
        ("order_date * 2", "`*` cannot take date and bigint"),
        ("order_date + price", "`+` cannot take date and double"),
        ("-order_date", "`-` needs a number, found date"),
        ("order_date = '01-02-2025'", "this literal is no date"),
        ("DATE '2025-02-30'", "this literal is no date"),
        ("TIMESTAMP 'soon'", "this literal is no timestamp"),
        ("CAST(created_at AS timestamp(9))", "a timestamp has three or six digits of a second"),
        ("record_number(1)", "`record_number` was given 1 arguments"),
        ("NULL", "NULL alone has no type"),
        ("substr(customer_name)", "`substr` was given 1 arguments"),
        ("to_date(customer_name, customer_name)", "the format must be a text literal"),
        ("source_partition(customer_name)", "the name of a source partition must be a text literal"),
        (
            "CAST('abc' AS bigint)",
            "this can never be computed: the string to be cast to bigint is not a number",
        ),
        ("9223372036854775807 + 1", "this can never be computed: the result is beyond 64 bits"),
        ("customer_name LIKE 'a!' ESCAPE '!'", ""),
    ] {
        if message.is_empty() {
            // The pattern is constant, the text is not: found when the first row comes.
            assert!(parse(sql).is_ok(), "{sql}");
        } else {
            assert_eq!(refusal(sql).0, message, "{sql}");
        }
    }
    assert_eq!(refusal("customer_name + 'x'").1, "`||` joins texts");
}

#[test]
fn syntax_errors_have_places() {
    for (sql, message, column) in [
        ("", "a value was expected, found the end", 1),
        ("price >", "a value was expected, found the end", 8),
        ("(price", "`)` was expected, found the end", 7),
        ("price price", "an operator or the end was expected, found `price`", 7),
        ("price == 1", "`==` is not SQL", 7),
        ("price::bigint", "`::` is not supported", 6),
        ("'abc", "a quote is opened here and never closed", 1),
        ("price ; 1", "`;` has no meaning here", 7),
        ("orders.price", "`.` has no meaning here", 7),
        ("1abc", "a number runs into a name", 1),
        ("case = 1", "a value was expected, found `=`", 6),
        ("quantity IN ()", "a value was expected, found `)`", 14),
        ("quantity BETWEEN 1 OR 2", "AND was expected, found `OR`", 20),
        ("paid IS 1", "NULL, TRUE or FALSE was expected after IS, found `1`", 9),
        ("customer_name LIKE 'a' ESCAPE 'ab'", "ESCAPE takes exactly one character", 31),
        (
            "CAST(price AS decimal(39,2))",
            "decimal needs its digits, 1 to 38 in all and no more than that after the point",
            15,
        ),
        ("CAST(price AS varchar(3))", "texts have no length limit here", 15),
        ("1e999", "this number is too large", 1),
        ("x'00'", "there is no column `x`", 0),
    ] {
        let (found, _, _, at) = refusal(sql);
        if column == 0 {
            continue;
        }
        assert_eq!((found.as_str(), at), (message, column), "{sql}");
    }
}

#[test]
fn hostile_nesting_is_refused_on_the_smallest_stack() {
    let run = || {
        let deep =
            |open: &str, close: &str, n: usize| format!("{}{}{}", open.repeat(n), "1 = 1", close.repeat(n));
        for sql in [
            deep("(", ")", 30_000),
            deep("NOT ", "", 15_000),
            deep("CASE WHEN ", " THEN 1 END", 3_000),
            deep("abs(", ")", 10_000),
            deep("- (", ")", 10_000),
            "1".to_owned() + &"+1".repeat(30_000),
            "price".to_owned() + &" IS NULL".repeat(5_000),
        ] {
            assert!(refusal(&sql).0.contains("nested more than 128 deep"), "{}", &sql[..20]);
        }
        assert!(refusal(&"x".repeat(70_000)).0.contains("65536 bytes"));
        // As deep as is allowed, through parse, bind and fold.
        assert!(parse(&deep("(", ")", 120)).is_ok());
        assert!(parse(&format!("{}price{}", "abs(".repeat(120), ")".repeat(120))).is_ok());
        assert!(parse(&format!("price{}", " + price".repeat(120))).is_ok());
        let flat = (0..2_000).fold("paid".to_owned(), |mut sql, i| {
            let _ = write!(sql, " OR quantity = {i}");
            sql
        });
        assert!(parse(&flat).is_ok());
    };
    // Native frames of a build without optimisation are larger than the component's.
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn patterns_and_paths_are_refused_where_they_stand() {
    for (sql, message, hint) in [
        ("regexp_like(customer_name, '(?=a)b')", "the pattern is wrong", "look-around and back-references"),
        ("regexp_like(customer_name, '(a)\\1')", "the pattern is wrong", "look-around and back-references"),
        ("regexp_like(customer_name, '(')", "the pattern is wrong", ""),
        ("regexp_like(customer_name, 'a{1000}{1000}')", "the pattern is wrong", ""),
        ("regexp_like(customer_name, customer_name)", "must be a text literal", ""),
        ("regexp_extract(customer_name, 'a', 1)", "groups up to 0", ""),
        ("regexp_replace(customer_name, 'a', '$1')", "no group \"1\"", ""),
        ("json_extract_scalar(customer_name, 'a')", "begins with $", "a path is written like"),
        ("json_extract_scalar(customer_name, '$.*')", "plain name", "a path is written like"),
        ("split_part(customer_name, ',', '1')", "needs a bigint", ""),
    ] {
        let (told, way, line, _) = refusal(sql);
        assert!(told.contains(message) && way.contains(hint) && line == 1, "{sql}: {told} ({way})");
    }
}
