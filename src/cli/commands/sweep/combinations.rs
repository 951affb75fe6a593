//! The renders that a sweep consists of.

use super::values::values;
use crate::recipe::Setting;

/// The most renders of one sweep.
pub(super) const MOST: usize = 1000;

/// A dimension of a sweep: one path that varies by itself, or several whose values advance together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Axis {
    pub paths: Vec<String>,
    /// For each position along the axis, a value for each path.
    pub values: Vec<Vec<String>>,
}

/// The varying settings of a sweep, and the settings that are the same in all its renders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sweep {
    pub axes: Vec<Axis>,
    pub fixed: Vec<Setting>,
}

/// One render of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Combination {
    /// The index of the value on each axis.
    pub at: Vec<usize>,
    /// The varying settings, in the order of the axes.
    pub varied: Vec<Setting>,
}

impl Sweep {
    /// Builds a sweep from the lists of `--set` and `--zip`. Returns all mistakes at once, one sentence each.
    pub(super) fn new(set: &[Setting], zip: &[Setting]) -> Result<Self, Vec<String>> {
        let mut mistakes = Vec::new();
        let mut sweep = Sweep { axes: Vec::new(), fixed: Vec::new() };
        let mut listed = |option: &str, setting: &Setting| match values(&setting.value) {
            Ok(values) => Some(values),
            Err(message) => {
                mistakes.push(format!("{option} {setting}: {message}"));
                None
            }
        };
        for setting in set {
            match listed("--set", setting) {
                Some(values) if values.len() == 1 => sweep.fixed.push(setting.clone()),
                Some(values) => sweep.axes.push(Axis {
                    paths: vec![setting.path.clone()],
                    values: values.into_iter().map(|value| vec![value]).collect(),
                }),
                None => {}
            }
        }
        let zipped: Vec<(&Setting, Vec<String>)> =
            zip.iter().filter_map(|setting| listed("--zip", setting).map(|values| (setting, values))).collect();
        if let Some((first, rest)) = zipped.split_first() {
            for (setting, values) in rest.iter().filter(|(_, values)| values.len() != first.1.len()) {
                let (one, other) = (values.len(), first.1.len());
                mistakes
                    .push(format!("--zip {setting}: {one} values cannot pair with the {other} of {}", first.0.path));
            }
            let length = zipped.iter().map(|(_, values)| values.len()).min().unwrap_or(0);
            let together = |index: usize| zipped.iter().map(|(_, values)| values[index].clone()).collect();
            sweep.axes.push(Axis {
                paths: zipped.iter().map(|(setting, _)| setting.path.clone()).collect(),
                values: (0..length).map(together).collect(),
            });
        }
        let paths: Vec<&String> =
            sweep.axes.iter().flat_map(|axis| &axis.paths).chain(sweep.fixed.iter().map(|set| &set.path)).collect();
        for (index, path) in paths.iter().enumerate() {
            if paths[..index].contains(path) {
                mistakes.push(format!("{path} is set twice"));
            }
        }
        if mistakes.is_empty() && sweep.axes.is_empty() {
            mistakes.push("nothing varies: give --set a list or a range, as in --set seed=1..8".into());
        }
        if let Some(count) = sweep.count().filter(|count| *count > MOST) {
            mistakes.push(format!("these are {count} renders; a sweep has at most {MOST}"));
        } else if sweep.count().is_none() {
            mistakes.push(format!("these are more renders than can be counted; a sweep has at most {MOST}"));
        }
        if mistakes.is_empty() { Ok(sweep) } else { Err(mistakes) }
    }

    /// Returns the number of renders, or none if it overflows.
    pub(super) fn count(&self) -> Option<usize> {
        self.axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()))
    }

    /// Returns all combinations; the last axis varies fastest.
    pub(super) fn combinations(&self) -> Vec<Combination> {
        let mut combinations = vec![Combination { at: Vec::new(), varied: Vec::new() }];
        for axis in &self.axes {
            let further = |earlier: &Combination| {
                let earlier = earlier.clone();
                axis.values.iter().enumerate().map(move |(index, values)| {
                    let mut next = earlier.clone();
                    next.at.push(index);
                    next.varied.extend(axis.paths.iter().zip(values).map(|(path, value)| setting(path, value)));
                    next
                })
            };
            combinations = combinations.iter().flat_map(further).collect();
        }
        combinations
    }

    /// Yields the paths that vary.
    pub(super) fn paths(&self) -> impl Iterator<Item = &String> {
        self.axes.iter().flat_map(|axis| &axis.paths)
    }
}

fn setting(path: &str, value: &str) -> Setting {
    Setting { path: path.to_owned(), value: value.to_owned() }
}

/// Formats settings for people: `seed = 1, phase.0.rate = 0.03`.
pub(super) fn label(settings: &[Setting]) -> String {
    let one = |setting: &Setting| format!("{} = {}", setting.path, setting.value);
    settings.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(lines: &[&str]) -> Vec<Setting> {
        lines.iter().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    fn lists_multiply_and_zipped_ones_go_together() {
        let set = settings(&["seed=1..2", "canvas.basis=fourier", "phase.0.rate=0.03,0.05"]);
        let zip = settings(&["detail.0.weight=1,2", "composition.0.weight=2,1"]);
        let sweep = Sweep::new(&set, &zip).unwrap();
        assert_eq!((sweep.count(), sweep.fixed.len()), (Some(8), 1));
        let all = sweep.combinations();
        assert_eq!(all.len(), 8);
        assert_eq!(
            label(&all[0].varied),
            "seed = 1, phase.0.rate = 0.03, detail.0.weight = 1, composition.0.weight = 2"
        );
        assert_eq!(
            label(&all[1].varied),
            "seed = 1, phase.0.rate = 0.03, detail.0.weight = 2, composition.0.weight = 1"
        );
        assert_eq!(all[7].at, [1, 1, 1]);
    }

    #[test]
    fn mistakes_are_all_told() {
        let wrong = |set: &[&str], zip: &[&str]| Sweep::new(&settings(set), &settings(zip)).unwrap_err().join("\n");
        let both = wrong(&["seed=1,", "phase.0.rate=0.1..0.5"], &[]);
        assert!(both.contains("--set seed=1,: a value is missing") && both.contains("needs a step"), "{both}");
        assert!(wrong(&["seed=1"], &[]).contains("nothing varies"));
        assert!(wrong(&["seed=1,2", "seed=3,4"], &[]).contains("seed is set twice"));
        assert!(wrong(&[], &["a=1,2", "b=1,2,3"]).contains("3 values cannot pair with the 2 of a"));
        let many = ["a=1..1000", "b=1..1000"];
        assert!(wrong(&many, &[]).contains("1000000 renders"));
        let paths: Vec<String> = (0..30).map(|index| format!("x{index}=1..1000")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert!(wrong(&paths, &[]).contains("than can be counted"));
    }
}
