//! Expands a target with several models into one target for each model.

use std::collections::HashSet;
use std::path::Path;

use crate::plan::{Member, Schedule, Target};
use crate::read::reader::Reader;
use crate::read::written::Recipe;

/// One of a target's models.
pub(crate) struct MemberModel {
    /// The name or path as written in the recipe.
    pub name: String,
    /// Its index among the plan's models.
    pub model: usize,
    pub weight: Schedule,
}

/// Returns one target for each model. With a single model the target is not a member of an ensemble. A lack of models has already been
/// reported.
pub(crate) fn members(whole: Target, parts: Vec<MemberModel>) -> Vec<Target> {
    match parts.as_slice() {
        [] => return vec![whole],
        [MemberModel { model, .. }] => return vec![Target { model: *model, ..whole }],
        _ => {}
    }
    let names = short_names(&parts);
    let member = |(MemberModel { model, weight, .. }, name): (MemberModel, String)| Target {
        name: format!("{} ({name})", whole.name),
        model,
        member: Some(Member { of: whole.name.clone(), weight }),
        ..whole.clone()
    };
    parts.into_iter().zip(names).map(member).collect()
}

/// Returns names that tell the models apart: the last part of each path, or the whole path if two last parts are equal. Equal whole
/// paths, which are relative to different folders, are numbered.
fn short_names(parts: &[MemberModel]) -> Vec<String> {
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

/// Reports members that have the same name as another target. `members` holds those of each of the recipe's targets.
pub(crate) fn unique(reader: &mut Reader<'_>, recipe: &Recipe, members: &[Vec<Target>]) {
    let names = |target: usize| members[target].iter().map(|member| member.name.as_str());
    for (index, target) in recipe.targets.iter().enumerate().filter(|(index, _)| members[*index].len() > 1) {
        let others: HashSet<&str> = (0..members.len()).filter(|other| *other != index).flat_map(names).collect();
        if let Some(name) = names(index).find(|name| others.contains(name)) {
            let span = target.name.as_ref().map_or(target.span.clone(), |name| name.span.clone());
            let message = format!(
                "another target is already called \"{name}\", which is the name of this one with one of its models"
            );
            reader.error(span, message).hint = Some("names must be unique".into());
        }
    }
}
