//! Tests of `render`: what a person sees, cell by cell.

use super::*;

fn sample() -> Grid {
    let mut grid = Grid::new(&["name", ">rows", "note"]);
    grid.row(vec!["orders".into(), "12".into(), "".into()]);
    grid.row(vec!["Zoë 東京".into(), "1,234".into(), Cell::new(Tone::Dim, "a longer note about it")]);
    grid
}

#[test]
fn columns_are_aligned_by_cells_and_not_by_bytes() {
    let text = sample().render(Screen::default());
    assert_eq!(
        text,
        "  name       rows  note\n  orders       12\n  Zoë 東京  1,234  a longer note about it\n"
    );
}

#[test]
fn a_narrow_screen_squeezes_the_widest_column() {
    let text = sample().render(Screen { width: Some(32), colour: false });
    assert!(text.lines().all(|line| line.width() <= 32), "{text}");
    assert!(text.contains("1,234") && text.contains('…'), "{text}");
}

#[test]
fn columns_that_cannot_fit_are_counted() {
    let titles: Vec<String> = (0..30).map(|n| format!("column_{n}")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut grid = Grid::new(&titles);
    grid.row((0..30).map(|n| Cell::from(format!("value {n}"))).collect());
    let text = grid.render(Screen { width: Some(60), colour: false });
    assert!(text.lines().all(|line| line.width() <= 60), "{text}");
    assert!(text.contains("columns: the terminal is too narrow"), "{text}");
}

#[test]
fn colour_is_only_there_when_asked_for() {
    assert!(!sample().render(Screen::default()).contains('\x1b'));
    assert!(
        sample()
            .render(Screen { width: None, colour: true })
            .contains("\x1b[2ma longer note about it\x1b[0m")
    );
}

#[test]
fn sizes_numbers_and_times() {
    assert_eq!(size(0), "0 B");
    assert_eq!(size(1023), "1023 B");
    assert_eq!(size(1024), "1.0 KiB");
    assert_eq!(size(1024 * 1024 - 1), "1.0 MiB");
    assert_eq!(size(5 << 30), "5.0 GiB");
    assert_eq!(number(0), "0");
    assert_eq!(number(999), "999");
    assert_eq!(number(1_234_567), "1,234,567");
    assert_eq!(count(1, "row", "rows"), "1 row");
    assert_eq!(duration(999), "999 ms");
    assert_eq!(duration(1_500), "1.5 s");
    assert_eq!(duration(125_000), "2 min 5 s");
}

#[test]
fn bars_show_shares() {
    assert_eq!(bar(0, 10, 4), "");
    assert_eq!(bar(10, 10, 4), "████");
    assert_eq!(bar(5, 10, 4), "██");
    assert_eq!(bar(1, 1_000_000, 4), "▏");
    assert_eq!(bar(3, 0, 4), "");
}

#[test]
fn cut_text_says_so() {
    assert_eq!(truncate("orders", 6), "orders");
    assert_eq!(truncate("orders", 5), "orde…");
    assert_eq!(truncate("東京都", 4), "東…");
}

#[test]
fn control_characters_never_reach_the_terminal() {
    assert_eq!(visible("a\nb\tc\x1b[31m"), "a⏎b⇥c\u{fffd}[31m");
}

#[test]
fn sql_text_survives_quotes() {
    assert_eq!(sql_text("it's"), "'it''s'");
}

#[test]
fn a_column_with_nothing_in_it_is_left_out() {
    let mut grid = Grid::new(&["a", "empty", "b"]);
    grid.row(vec!["1".into(), "".into(), "2".into()]);
    assert_eq!(grid.render(Screen::default()), "  a  b\n  1  2\n");
}
