//! Tables for people, as lists print them.

use super::clean;

/// Rows as lines, the columns below each other.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| clean(cell).chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let cell = clean(cell);
            let gap = width - cell.chars().count();
            format!("{cell}{}", " ".repeat(gap + 2))
        });
        cells.collect::<String>().trim_end().to_string()
    };
    rows.iter().map(line).collect()
}
