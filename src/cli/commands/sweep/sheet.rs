//! The sweep's contact sheet: a grid if there are several axes, the last one across; else one picture after the other.

use std::path::Path;

use super::combinations::{Axis, Sweep};
use super::index::{RenderRecord, RenderStatus};
use super::plan::Planned;
use crate::cli::failure::Failure;
use crate::cli::source::Source;
use crate::output::sheet::{Labels, Sheet};
use crate::plan::Size;

/// Makes the sheet from all existing pictures; the other places say why there is none.
pub(super) fn sheet(
    source: &Source,
    sweep: &Sweep,
    planned: &[Planned],
    entries: &[RenderRecord],
    folder: &Path,
) -> Result<Sheet, Failure> {
    let sizes = planned.iter().map(|planned| planned.compiled.plan.size);
    let largest = sizes.fold(Size { width: 1, height: 1 }, |largest, size| Size {
        width: largest.width.max(size.width),
        height: largest.height.max(size.height),
    });
    let title = planned.iter().find_map(|planned| planned.compiled.plan.title.clone());
    let title = title.unwrap_or_else(|| source.path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    let mut sheet = Sheet::new(&title, &labels(sweep), largest);
    for (index, entry) in entries.iter().enumerate() {
        let note = match entry.state {
            RenderStatus::Missing => "not rendered",
            RenderStatus::Failed => "failed",
            RenderStatus::Rendered | RenderStatus::There | RenderStatus::Unfinished => {
                match image::open(folder.join(&entry.file)) {
                    Ok(picture) => {
                        sheet.put(index, &picture.to_rgb8());
                        continue;
                    }
                    Err(_) => "cannot be read",
                }
            }
        };
        sheet.note(index, note);
    }
    Ok(sheet)
}

/// Returns the labels beside the pictures, which are in the order of the combinations.
fn labels(sweep: &Sweep) -> Labels {
    match &sweep.axes[..] {
        [axis] => Labels::Each((0..axis.values.len()).map(|index| heading(axis, index)).collect()),
        [rows @ .., columns] => {
            let mut headings = vec![String::new()];
            for axis in rows {
                let further = |earlier: &String| {
                    let earlier = earlier.clone();
                    (0..axis.values.len()).map(move |index| {
                        let own = heading(axis, index).join(", ");
                        if earlier.is_empty() { own } else { format!("{earlier}, {own}") }
                    })
                };
                headings = headings.iter().flat_map(further).collect();
            }
            let across = (0..columns.values.len()).map(|index| heading(columns, index).join(", "));
            Labels::Grid { columns: across.collect(), rows: headings }
        }
        [] => Labels::Each(vec![Vec::new()]),
    }
}

/// Returns headings like `seed = 1`, one for each path of the axis.
fn heading(axis: &Axis, index: usize) -> Vec<String> {
    axis.paths.iter().zip(&axis.values[index]).map(|(path, value)| format!("{path} = {value}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_runs_across() {
        let of = |set: &[&str]| {
            let set: Vec<_> = set.iter().map(|line| line.parse().unwrap()).collect();
            labels(&Sweep::new(&set, &[]).unwrap())
        };
        let each = Labels::Each(vec![vec!["seed = 1".into()], vec!["seed = 2".into()]]);
        assert_eq!(of(&["seed=1..2"]), each);
        let Labels::Grid { columns, rows } = of(&["a=1,2", "b=3,4", "c=5,6,7"]) else { panic!("a grid") };
        assert_eq!(columns, ["c = 5", "c = 6", "c = 7"]);
        assert_eq!(rows, ["a = 1, b = 3", "a = 1, b = 4", "a = 2, b = 3", "a = 2, b = 4"]);
    }
}
