//! Columns for people: aligned, and cut to the width of a terminal.

/// Blanks between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this, as long as it was wider.
const LEAST: usize = 8;
/// Nor one of sentences and URLs than this.
const WIDE: usize = 24;

/// How narrow a column may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// As narrow as a word.
    Plain,
    /// A sentence or a URL, of which a few letters tell nothing.
    Wide,
    /// Never cut: people copy from it.
    Whole,
}

impl Column {
    /// The least width of a column that is `width` wide uncut.
    fn least(self, width: usize) -> usize {
        match self {
            Self::Plain => LEAST.min(width),
            Self::Wide => WIDE.min(width),
            Self::Whole => width,
        }
    }
}

/// The rows as text, columns as wide as their widest cell.
pub fn table(rows: &[Vec<String>]) -> String {
    fitted(rows, None, &[])
}

/// The same for a terminal of this width: columns on the right that find no room are left out, wide ones are cut, which
/// `…` says, as far as their kind allows; those without one are plain.
pub fn fitted(rows: &[Vec<String>], width: Option<usize>, kinds: &[Column]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest =
        |column| rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| letters(cell)).max();
    let mut widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
    if let Some(width) = width {
        let kind = |column: usize| kinds.get(column).copied().unwrap_or(Column::Plain);
        let least: Vec<usize> =
            widths.iter().enumerate().map(|(column, width)| kind(column).least(*width)).collect();
        fit(&mut widths, width, &least);
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, most)| format!("{:<most$}", cut(cell, *most)));
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

/// Leaves columns out until the others can fit, and makes the widest narrower until they do.
fn fit(widths: &mut Vec<usize>, room: usize, least: &[usize]) {
    let gaps = |widths: &[usize]| widths.len().saturating_sub(1) * GAP;
    while widths.len() > 1 && least[..widths.len()].iter().sum::<usize>() + gaps(widths) > room {
        widths.pop();
    }
    while widths.iter().sum::<usize>() + gaps(widths) > room {
        let wide = widths.iter_mut().zip(least).filter(|(width, least)| **width > **least);
        let Some((widest, _)) = wide.max_by_key(|(width, _)| **width) else { return };
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
        assert_eq!(table(&all), "ID     NAME\nkey_1  zähler\nk      b");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn a_terminal_cuts_the_widest_columns() {
        let long = "https://example.com/a/very/long/path";
        let all = rows(&[&["ID", "URL", "HEALTH"], &["ep_1", long, "failing"]]);
        let kinds = [Column::Whole];
        let shown = fitted(&all, Some(30), &kinds);
        assert_eq!(shown, "ID    URL              HEALTH\nep_1  https://exampl…  failing");
        assert_eq!(table(&all).lines().last(), Some(format!("ep_1  {long}  failing").as_str()));
        assert_eq!(fitted(&all, Some(16), &kinds), "ID    URL\nep_1  https://e…", "no room for the last");
        for line in fitted(&all, Some(3), &kinds).lines() {
            assert!(line.chars().count() <= 3, "{line}");
        }
        let wide = fitted(&all, Some(30), &[Column::Whole, Column::Wide]);
        assert_eq!(wide, "ID    URL\nep_1  https://example.com/a/v…", "the URL keeps more than the last");
    }
}
