//! The table as JSON, with every round.

use std::path::Path;

use serde_json::{Value, json};

use crate::Fallible;
use crate::row::{Figures, Limit, Row};

/// Writes the rows to a file; `about` says on what they were measured.
pub fn write(path: &Path, about: &Value, rows: &[Row], failures: &[String]) -> Fallible<()> {
    let rows: Vec<_> = rows.iter().map(row).collect();
    let all = json!({ "about": about, "rows": rows, "failures": failures });
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(&all)? + "\n";
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}

fn row(row: &Row) -> Value {
    let ratios = row.ratios.iter().map(|(ratio, of)| {
        let mut told = figures(ratio);
        told["unit"] = json!(of);
        told
    });
    json!({
        "name": row.name,
        "unit": row.unit,
        "figure": figures(&row.figures),
        "ratios": ratios.collect::<Vec<_>>(),
        "must": row.must.map(Limit::value),
        "aim": row.aim.map(Limit::value),
        "reached": row.verdict().word(),
        "note": row.note,
    })
}

fn figures(figures: &Figures) -> Value {
    json!({
        "median": figures.median(),
        "min": figures.min(),
        "max": figures.max(),
        "rounds": figures.rounds(),
    })
}
