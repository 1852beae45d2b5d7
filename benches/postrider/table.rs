//! The table: Markdown that can be read as it is.

use crate::row::{Figures, Limit, Row};

const TITLES: [&str; 8] = ["scenario", "figure", "unit", "spread", "ratio", "must", "aim", "reached"];

/// The table of these rows, and their remarks below it.
pub fn render(rows: &[Row]) -> String {
    let mut lines = vec![TITLES.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..TITLES.len()).map(width).collect();
    let ruler: Vec<_> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let mut text: Vec<_> = lines.iter().map(|line| render_line(line, &widths)).collect();
    text.insert(1, format!("|{}|", ruler.join("|")));
    let notes = rows.iter().filter(|row| !row.note.is_empty());
    let notes: Vec<_> = notes.map(|row| format!("- {}: {}", row.name, row.note)).collect();
    if !notes.is_empty() {
        text.push(String::new());
        text.extend(notes);
    }
    text.join("\n") + "\n"
}

fn render_line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        let blanks = " ".repeat(width - cell.chars().count());
        format!("| {cell}{blanks} ")
    });
    padded.collect::<String>() + "|"
}

fn cells(row: &Row) -> [String; 8] {
    let of = row.ratios.first().map_or("", |(_, of)| *of);
    let ratios = row.ratios.iter().map(|(ratio, of)| {
        let spread = if ratio.rounds().len() > 1 { format!(" ({})", spread(ratio)) } else { String::new() };
        format!("{} {of}{spread}", number(ratio.median()))
    });
    let limit = |limit: Option<Limit>| limit.map_or(String::new(), |limit| limit_words(limit, of));
    [
        row.name.clone(),
        number(row.figures.median()),
        row.unit.to_owned(),
        spread(&row.figures),
        ratios.collect::<Vec<_>>().join(", "),
        limit(row.must),
        limit(row.aim),
        row.verdict().word().to_owned(),
    ]
}

fn spread(figures: &Figures) -> String {
    if figures.rounds().len() < 2 {
        return String::new();
    }
    format!("{} to {}", number(figures.min()), number(figures.max()))
}

fn limit_words(limit: Limit, of: &str) -> String {
    let sign = match limit {
        Limit::AtLeast(_) => "≥",
        Limit::AtMost(_) => "≤",
    };
    format!("{sign} {} {of}", number(limit.value())).trim_end().to_owned()
}

/// Three digits that matter, and thousands apart.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let groups: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{sign}{}{rest}", groups.join(","))
}
