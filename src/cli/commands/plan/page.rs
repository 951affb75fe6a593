//! A plan's account as text that fits on one screen.

use super::account::{Account, MemberAccount, PhaseAccount, PipelineAccount, StageAccount, TargetAccount, Values};
use super::choice::{MARKS, mark};
use super::effort::Effort;
use crate::recipe::Origin;
use crate::units;

/// Lines are wrapped before this column where possible.
const WIDTH: usize = 110;

/// Returns the account as text.
pub(super) fn page(account: &Account) -> String {
    let mut lines = Vec::new();
    if let Some(title) = &account.title {
        lines.push(title.clone());
    }
    let [width, height] = account.size;
    let of = |key: &str| mark(&account.from, key);
    let start = &account.start;
    lines.push(format!(
        "picture  {width}x{height}{}, seed {}{}, {}, from {}{}, noise {}{}",
        of("size"),
        account.seed,
        of("seed"),
        account.basis.marked(&account.from, "canvas.basis"),
        start.ground,
        of(start.key),
        start.noise,
        of("canvas.init.noise"),
    ));
    for model in &account.models {
        lines.push(format!("model    {}, windows of {side}x{side} pixels", model.name, side = model.window));
    }
    lines.extend(phases(account));
    for target in &account.targets {
        lines.extend(self::target(target, account.models.len() > 1));
    }
    lines.extend(legend(account));
    lines.extend(effort(&account.effort));
    lines.join("\n") + "\n"
}

/// Returns the table of phases: a line per phase, a column per value. Values that few recipes change get a column only if they
/// are changed. A value that changes over time is shown at the first, middle and last step.
fn phases(account: &Account) -> Vec<String> {
    let mut head = vec!["phases".to_owned(), "steps".to_owned(), "rate".to_owned(), "finest".to_owned()];
    let unusual = unusual(account);
    head.extend(unusual.iter().map(|(name, _)| (*name).to_owned()));
    head.extend(account.targets.iter().map(|target| target.name.clone()));
    let rows = account.phases.iter().enumerate().map(|(index, phase)| {
        let of = |key: &str| mark(&phase.from, key);
        let mut row = vec![format!("  {}", phase.name), format!("{}{}", phase.steps, of("steps"))];
        row.push(over_time(&phase.rate) + of("rate"));
        row.push(phase.finest.as_ref().map_or("all".to_owned(), over_time) + of("finest"));
        row.extend(unusual.iter().map(|(_, cells)| cells[index].clone()));
        row.extend(phase.weights.iter().map(|weight| match weight {
            [0.0, 0.0, 0.0] => "-".to_owned(),
            weight => over_time(weight),
        }));
        row
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Returns the columns in which some phase differs from the usual value.
fn unusual(account: &Account) -> Vec<(&'static str, Vec<String>)> {
    let column = |cell: &dyn Fn(&PhaseAccount) -> String| account.phases.iter().map(cell).collect::<Vec<_>>();
    let marked = |name: &str, cells: Vec<String>| -> Vec<String> {
        let phases = account.phases.iter().zip(cells);
        let cells = phases.map(|(phase, cell)| match name {
            "optimiser" => phase.optimiser.marked(&phase.from, name),
            "canvas" => cell + mark(&phase.from, "resolution"),
            name => cell + mark(&phase.from, name),
        });
        cells.collect()
    };
    let size = |[width, height]: [u32; 2]| format!("{width}x{height}");
    let columns = [
        ("optimiser", "adam".to_owned(), column(&|phase| phase.optimiser.text())),
        (
            "gradient",
            "normalise".to_owned(),
            column(&|phase| match &phase.clip {
                Some(norm) => format!("clip {}", over_time(norm)),
                None => phase.gradient.to_owned(),
            }),
        ),
        (
            "canvas",
            size(account.size),
            column(&|phase| {
                let mut sizes = phase.canvas.map(size).to_vec();
                sizes.dedup();
                sizes.join(" → ")
            }),
        ),
        (
            "patience",
            "-".to_owned(),
            column(&|phase| phase.patience.map_or("-".to_owned(), |steps| format!("{steps} steps"))),
        ),
    ];
    let columns = columns.into_iter().filter(|(_, usual, cells)| cells.iter().any(|cell| cell != usual));
    columns.map(|(name, _, cells)| (name, marked(name, cells))).collect()
}

/// Describes a target, with its models if the plan has several.
fn target(target: &TargetAccount, with_models: bool) -> Vec<String> {
    let several = target.pipelines.len() > 1;
    let of = |key: &str| mark(&target.from, key);
    let windows = if target.windows == 1 { "1 window" } else { &format!("{} windows", target.windows) };
    let sight = if target.from.contains_key("fit") { "fit" } else { "places" };
    let calibration = target.calibration.as_ref().map(|how| format!(", calibration {how}{}", of("calibration")));
    let mut lines = vec![format!(
        "{}: {windows}{} a step, {}{}, select {}{}{}, loss {}{}",
        target.name,
        of("windows"),
        target.sight,
        of(sight),
        target.select,
        of("select"),
        calibration.unwrap_or_default(),
        target.loss,
        of("loss")
    )];
    let region = target.region.as_ref().map(|region| format!("region {region}"));
    let active = target.active.map(|[from, until]| format!("active from step {from} to {until}"));
    let models = with_models.then(|| models(&target.models));
    let further: Vec<String> = models.into_iter().chain(region).chain(active).collect();
    if !further.is_empty() {
        lines.extend(wrapped("  ", further.into_iter()));
    }
    let prompts = target.prompts.iter().map(|prompt| {
        let quoted = if prompt.kind == "image" { prompt.prompt.clone() } else { format!("\"{}\"", prompt.prompt) };
        let weight = if prompt.weight == [1.0; 3] { String::new() } else { format!(" {}", over_time(&prompt.weight)) };
        let pipeline = prompt.pipeline.filter(|_| several).map(|index| format!(" [{}]", index + 1));
        let texts = match prompt.texts.len() {
            0 => String::new(),
            count => format!(" (mean of {count} texts)"),
        };
        format!("{quoted}{texts}{weight}{}", pipeline.unwrap_or_default())
    });
    lines.extend(wrapped("  ", prompts));
    for (index, pipeline) in target.pipelines.iter().enumerate() {
        // Several pipelines get numbers, by which the prompts refer to them.
        let number = match (several, of("stages")) {
            (true, _) => format!("[{}] ", index + 1),
            (false, "") => String::new(),
            (false, mark) => format!("through{mark} "),
        };
        lines.extend(wrapped(&format!("  {number}"), stages(pipeline)));
    }
    lines
}

/// Describes the models of a target, with their weights if there are several.
fn models(models: &[MemberAccount]) -> String {
    match models {
        [only] => format!("model {}", only.name),
        several => {
            let model = |model: &MemberAccount| match model.weight {
                [1.0, 1.0, 1.0] => model.name.clone(),
                weight => format!("{} {}", model.name, over_time(&weight)),
            };
            format!("models {}", several.iter().map(model).collect::<Vec<_>>().join(" + "))
        }
    }
}

/// Describes the stages of a pipeline, then its edge.
fn stages(pipeline: &PipelineAccount) -> impl Iterator<Item = String> {
    let stage = |stage: &StageAccount| {
        let chance = match stage.chance {
            [1.0, 1.0, 1.0] => String::new(),
            chance => format!(" (chance {})", over_time(&chance)),
        };
        let range = match (&stage.low, &stage.high, &stage.axis) {
            (Some(low), Some(high), _) if low == high => over_time(low),
            (Some(low), Some(high), _) if low.map(|value| -value) == *high => format!("±{}", over_time(high)),
            (Some(low), Some(high), _) => format!("{}..{}", over_time(low), over_time(high)),
            (_, _, axis) => axis.unwrap_or_default().to_owned(),
        };
        let spectrum = stage.spectrum.map(|spectrum| format!(" {spectrum}")).unwrap_or_default();
        format!("{} {range}{spectrum}{chance}", stage.stage)
    };
    let edge = format!("edge {}", pipeline.edge);
    pipeline.stages.iter().map(stage).chain([edge]).collect::<Vec<_>>().into_iter()
}

/// Joins items with commas, on as many lines as it takes. Further lines are indented by the width of `start`.
fn wrapped(start: &str, items: impl Iterator<Item = String>) -> Vec<String> {
    let indent = " ".repeat(start.chars().count());
    let mut lines = vec![start.to_owned()];
    let mut empty = true;
    for item in items {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if !empty && line + 2 + item.chars().count() > WIDTH {
            if let Some(line) = lines.last_mut() {
                line.push(',');
            }
            lines.push(indent.clone());
            empty = true;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if empty { "" } else { ", " });
            line.push_str(&item);
        }
        empty = false;
    }
    lines
}

/// Explains the marks that were used.
fn legend(account: &Account) -> Option<String> {
    let parts = account.phases.iter().map(|phase| &phase.from).chain(account.targets.iter().map(|target| &target.from));
    let origins: Vec<Origin> = parts.chain([&account.from]).flat_map(|from| from.values().copied()).collect();
    let used = MARKS.iter().filter(|(origin, ..)| origins.contains(origin));
    let words: Vec<String> = used.map(|(_, mark, meaning)| format!("{mark} {meaning}")).collect();
    (!words.is_empty()).then(|| format!("marks    {}; unmarked values are set for this picture", words.join(", ")))
}

fn effort(effort: &Effort) -> Vec<String> {
    let memory = &effort.memory;
    let mut lines = vec![
        format!(
            "in all   {} steps, {} looks at the whole, {} at details: {} windows, {} in a step at most",
            effort.steps, effort.wholes, effort.places, effort.windows, effort.most_windows
        ),
        format!(
            "memory   at least {} (canvas {}, windows {}, model {}); onnxruntime's own comes on top",
            units::bytes(memory.total()),
            units::bytes(memory.canvas),
            units::bytes(memory.windows),
            units::bytes(memory.model)
        ),
    ];
    match &effort.measured {
        None => lines.push("time     --measure estimates it from some steps of each phase".to_owned()),
        Some(measured) => {
            let seconds = measured.seconds;
            let time = if seconds < 100.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) };
            let pace = measured.windows_per_second;
            let peak = measured.peak_rss_bytes.map(|peak| format!(", {} of memory in use", units::bytes(peak)));
            lines.push(format!("time     about {time}: {pace:.0} windows a second{}", peak.unwrap_or_default()));
        }
    }
    lines
}

/// Formats one value, or three with arrows between them if it changes.
fn over_time([start, middle, end]: &Values) -> String {
    match start == middle && middle == end {
        true => number(*start),
        false => format!("{}→{}→{}", number(*start), number(*middle), number(*end)),
    }
}

/// Formats a number with three significant digits and no trailing zeros.
fn number(value: f64) -> String {
    // Turns -0 into 0.
    let value = value + 0.0;
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let digits = usize::try_from(2 - magnitude).unwrap_or(0);
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let values = [0.0, 1.0, -0.3, 0.06, 10.5, 123.456, 64.0, 4096.0, 1e-9, 5e9, 0.019_999];
        let texts = ["0", "1", "-0.3", "0.06", "10.5", "123", "64", "4096", "1.00e-9", "5.00e9", "0.02"];
        assert_eq!(values.map(number), texts);
        assert_eq!(over_time(&[5.0, 10.5, 16.0]), "5→10.5→16");
        assert_eq!(over_time(&[1.0; 3]), "1");
    }

    #[test]
    fn long_lists_are_broken_between_items() {
        let lines = wrapped("  [1] ", (0..40).map(|number| format!("item {number}")));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= WIDTH + 1));
        assert!(lines[1].starts_with("      item ") && lines[0].ends_with(','));
        assert_eq!(wrapped("  ", ["a".to_owned()].into_iter()), ["  a"]);
    }
}
