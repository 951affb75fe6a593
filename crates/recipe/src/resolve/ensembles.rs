//! Targets that look with several models, as a plan has them: a target for each.

use std::collections::HashSet;
use std::path::Path;

use crate::plan::{Member, Schedule, Target};
use crate::read::reader::Reader;
use crate::read::written::Recipe;

/// One of a target's models.
pub(crate) struct Part {
    /// As the recipe says it: a name, or a path.
    pub name: String,
    /// Its number in the plan.
    pub model: usize,
    pub weight: Schedule,
}

/// A target as often as it has models; one that has a single model is a member of nothing. Without any they were reported.
pub(crate) fn members(whole: Target, parts: Vec<Part>) -> Vec<Target> {
    match parts.as_slice() {
        [] => return vec![whole],
        [Part { model, .. }] => return vec![Target { model: *model, ..whole }],
        _ => {}
    }
    let names = short_names(&parts);
    let member = |(Part { model, weight, .. }, name): (Part, String)| Target {
        name: format!("{} ({name})", whole.name),
        model,
        member: Some(Member { of: whole.name.clone(), weight }),
        ..whole.clone()
    };
    parts.into_iter().zip(names).map(member).collect()
}

/// What models are called beside one another: the last part of a path, or the whole of it where two have the same; where two
/// have that, too, as from different folders, numbers tell them apart.
fn short_names(parts: &[Part]) -> Vec<String> {
    let short = |name: &str| {
        let last = Path::new(name).file_name().map(|last| last.to_string_lossy().into_owned());
        last.unwrap_or_else(|| name.to_owned())
    };
    let names: Vec<String> = parts.iter().map(|part| short(&part.name)).collect();
    let twice = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let longer = parts.iter().zip(&names).map(|(part, name)| if twice(name) { &part.name } else { name });
    let longer: Vec<&String> = longer.collect();
    let numbered =
        |(index, name): (usize, &&String)| match longer[..index].iter().filter(|other| *other == name).count() {
            0 => (*name).clone(),
            before => format!("{name} {}", before + 1),
        };
    longer.iter().enumerate().map(numbered).collect()
}

/// Reports members that are called as another target is. `members`: of each of the recipe's targets.
pub(crate) fn unique(reader: &mut Reader<'_>, recipe: &Recipe, members: &[Vec<Target>]) {
    let names = |target: usize| members[target].iter().map(|member| member.name.as_str());
    for (index, target) in recipe.targets.iter().enumerate().filter(|(index, _)| members[*index].len() > 1) {
        let others: HashSet<&str> = (0..members.len()).filter(|other| *other != index).flat_map(names).collect();
        if let Some(name) = names(index).find(|name| others.contains(name)) {
            let span = target.name.as_ref().map_or(target.span.clone(), |name| name.span.clone());
            let message = format!("another target is called \"{name}\", as this one is with one of its models");
            reader.error(span, message).hint = Some("every name is given once".into());
        }
    }
}
