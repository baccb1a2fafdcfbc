//! Tables as text: names to the left, figures to the right.

/// Lays out a heading and rows of as many cells, two blanks between columns; the first column is of names.
pub(super) fn lay_out(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    write_row(&mut text, heading.iter().copied(), &widths);
    for row in rows {
        write_row(&mut text, row.iter().map(String::as_str), &widths);
    }
    text
}

fn write_row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>, widths: &[usize]) {
    for (column, (cell, &width)) in cells.zip(widths).enumerate() {
        match column {
            0 => text.push_str(&format!("{cell:<width$}")),
            _ => text.push_str(&format!("  {cell:>width$}")),
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_left_and_figures_right() {
        let rows = [vec!["elm-tree".into(), "7".into()], vec!["ré".into(), "12345".into()]];
        let text = lay_out(&["line", "calls"], &rows);
        assert_eq!(text, "line      calls\nelm-tree      7\nré        12345\n");
    }
}
