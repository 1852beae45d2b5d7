//! Columns for people: aligned, and cut to the width of a terminal.

/// Blanks between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this, as long as it was wider.
const LEAST: usize = 6;

/// The rows as text, columns as wide as their widest cell. With `width` wide columns give way until a row fits in it,
/// and what does not fit is cut, which `…` says.
pub fn table(rows: &[Vec<String>], width: Option<usize>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest =
        |column| rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| letters(cell)).max();
    let mut widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
    if let Some(width) = width {
        fit(&mut widths, width);
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, most)| {
            let cell = if width.is_some() { cut(cell, *most) } else { cell.clone() };
            format!("{cell:<most$}")
        });
        let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned();
        width.map_or_else(|| line.clone(), |width| cut(&line, width))
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// The first `most` letters, the last of them `…` where there are more.
fn cut(text: &str, most: usize) -> String {
    if letters(text) <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Makes the widest column narrower, again and again, until all fit.
fn fit(widths: &mut [usize], room: usize) {
    let gaps = widths.len().saturating_sub(1) * GAP;
    while widths.iter().sum::<usize>() + gaps > room {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > LEAST) else { return };
        *widest -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_are_aligned_whatever_letters_they_have() {
        let all = rows(&[&["ID", "NAME"], &["key_1", "zähler"], &["k", "b"]]);
        assert_eq!(table(&all, None), "ID     NAME\nkey_1  zähler\nk      b");
        assert_eq!(table(&[], None), "");
    }

    #[test]
    fn a_terminal_cuts_the_widest_columns() {
        let long = "https://example.com/a/very/long/path";
        let all = rows(&[&["ID", "URL", "HEALTH"], &["ep_1", long, "failing"]]);
        let shown = table(&all, Some(30));
        assert_eq!(shown, "ID    URL              HEALTH\nep_1  https://exampl…  failing");
        assert_eq!(table(&all, None).lines().last(), Some(format!("ep_1  {long}  failing").as_str()));
        for line in table(&all, Some(12)).lines() {
            assert!(line.chars().count() <= 12, "{line}");
        }
    }
}
