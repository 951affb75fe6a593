//! The command line's layers: each file of `src/cli` knows layers below its own, no command another, and no files go round in a
//! circle. Those of `crates/recipe` do not either.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// From the lowest on, as `src/cli/mod.rs` and `docs/architecture.md` have them.
const LAYERS: [&str; 8] = ["args", "failure", "terminal", "source", "prompts", "bench", "job", "commands"];

/// Rust files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module of a file below `src/cli`: `["job", "run"]`.
fn module(root: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Vec<String> = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// The paths that a file names, as their segments, one for each name of a `use`. What is for tests alone is left out.
fn named(text: &str) -> Vec<Vec<String>> {
    let mut named = Named(Vec::new());
    named.visit_file(&syn::parse_file(text).unwrap());
    named.0
}

struct Named(Vec<Vec<String>>);

/// Whether an item is there for tests alone.
fn is_for_tests(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'a> Visit<'a> for Named {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// `pub(super)` takes nothing from there.
    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.of_use(&item.tree, &mut Vec::new());
    }
}

impl Named {
    fn of_use(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.of_use(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.of_use(tree, before)),
            syn::UseTree::Name(syn::UseName { ident }) | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                self.0.push([before.as_slice(), &[ident.to_string()]].concat());
            }
            syn::UseTree::Glob(_) => self.0.push(before.clone()),
        }
    }
}

/// A path as seen from a module, below `src/cli`; none where it leads elsewhere.
fn below_cli(own: &[String], path: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => (path.get(1)? == "cli").then(|| path[2..].to_vec()),
        "super" => Some([own.get(..own.len().checked_sub(ups)?)?, &path[ups..]].concat()),
        "self" => Some([own, &path[1..]].concat()),
        // Perhaps a module that this one is made of.
        _ => Some([own, path].concat()),
    }
}

#[test]
fn each_layer_of_the_command_line_knows_those_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let mut all = Vec::new();
    files(&root, &mut all);
    let modules: BTreeSet<Vec<String>> = all.iter().map(|file| module(&root, file)).collect();
    let level = |layer: &str| LAYERS.iter().position(|other| *other == layer);
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in &all {
        let own = module(&root, file);
        let Some(layer) = own.first() else { continue };
        let own_level = level(layer).unwrap_or_else(|| panic!("{layer} is no layer: {LAYERS:?}"));
        for path in named(&fs::read_to_string(file).unwrap()) {
            let Some(target) = below_cli(&own, &path) else { continue };
            // The module that a name stands in: the longest that there is.
            let Some(known) =
                (1..=target.len()).rev().map(|n| target[..n].to_vec()).find(|path| modules.contains(path))
            else {
                continue;
            };
            if known == own {
                continue;
            }
            let said = format!("{} -> {}", own.join("::"), known.join("::"));
            let lower = level(&known[0]).is_some_and(|other| other < own_level);
            let same_room = known[0] == own[0] && (layer != "commands" || known.get(1) == own.get(1));
            if !lower && !same_room {
                wrong.push(said);
            }
            arrows.entry(own.join("::")).or_default().insert(known.join("::"));
        }
    }
    assert!(wrong.is_empty(), "arrows upwards, or from one command to another:\n{}", wrong.join("\n"));
    assert!(arrows.len() > 40, "{} files import something: are they read?", arrows.len());
    assert_eq!(circles(arrows), Vec::<String>::new());
}

/// Files of `crates/recipe` that name one another. Methods of the reader, which stand in several files, are not seen.
#[test]
fn no_files_of_recipes_go_round_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/recipe/src");
    let mut all = Vec::new();
    files(&root, &mut all);
    let modules: BTreeSet<Vec<String>> = all.iter().map(|file| module(&root, file)).collect();
    let lib = named(&fs::read_to_string(root.join("lib.rs")).unwrap());
    let outside: BTreeSet<&String> =
        lib.iter().filter(|path| path[0] == "recipe_render_core").filter_map(|path| path.get(1)).collect();
    assert!(outside.len() > 2, "{outside:?}");
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in &all {
        let own = module(&root, file);
        // Paths of the root begin where those of its modules do.
        let place = if own == ["lib"] { &[] } else { own.as_slice() };
        for path in named(&fs::read_to_string(file).unwrap()) {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let target = match path[0].as_str() {
                "crate" => path[1..].to_vec(),
                "super" => [&place[..place.len().saturating_sub(ups)], &path[ups..]].concat(),
                "self" => [place, &path[1..]].concat(),
                // Perhaps a module that this one is made of.
                _ => [place, path.as_slice()].concat(),
            };
            let known = (1..=target.len()).rev().map(|n| target[..n].to_vec()).find(|path| modules.contains(path));
            let from_root = path[0] == "crate" && path.get(1).is_some_and(|name| !outside.contains(name));
            let known = known.or_else(|| from_root.then(|| vec!["lib".to_owned()]));
            if let Some(known) = known.filter(|known| *known != own) {
                arrows.entry(own.join("::")).or_default().insert(known.join("::"));
            }
        }
    }
    assert!(arrows.len() > 30, "{} files import something: are they read?", arrows.len());
    // The rooms know only those before them, as lib.rs says.
    let rooms = ["texts", "report", "keys", "syntax", "sources", "read", "resolve", "schema"];
    let room = |module: &str| rooms.iter().position(|room| *room == module.split("::").next().unwrap_or(module));
    for (from, to) in arrows.iter().flat_map(|(from, reached)| reached.iter().map(move |to| (from, to))) {
        if !from.is_empty() {
            assert!(room(to) <= room(from) && room(to).is_some(), "{from} knows {to}");
        }
    }
    assert_eq!(circles(arrows), Vec::<String>::new());
}

/// The modules that go round in circles: what is left when those without arrows, or without arrows to them, are taken away.
fn circles(mut arrows: BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    loop {
        let before: usize = arrows.values().map(BTreeSet::len).sum();
        let sources: BTreeSet<String> = arrows.keys().cloned().collect();
        let targets: BTreeSet<String> = arrows.values().flatten().cloned().collect();
        arrows.retain(|source, _| targets.contains(source));
        for reached in arrows.values_mut() {
            reached.retain(|target| sources.contains(target));
        }
        arrows.retain(|_, reached| !reached.is_empty());
        if arrows.values().map(BTreeSet::len).sum::<usize>() == before {
            return arrows.iter().map(|(source, reached)| format!("{source} -> {reached:?}")).collect();
        }
    }
}

#[test]
fn circles_are_found() {
    let arrows = |pairs: &[(&str, &str)]| {
        let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            arrows.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        arrows
    };
    assert!(circles(arrows(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    assert_eq!(circles(arrows(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")])), ["b -> {\"c\"}", "c -> {\"b\"}"]);
}

/// The parts of the program, each with its file or folder: modules of the root package and of crates; a crate without such modules is
/// a part itself.
fn parts() -> BTreeMap<String, PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut parts = BTreeMap::new();
    let mut folders = vec![root.join("src")];
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let folder = entry.unwrap().path().join("src");
        // Public modules are what others know.
        if fs::read_to_string(folder.join("lib.rs")).unwrap().lines().filter(|line| line.starts_with("pub mod")).count()
            > 1
        {
            folders.push(folder);
        } else {
            let name = folder.parent().unwrap().file_name().unwrap().to_str().unwrap();
            parts.insert(name.to_owned(), folder);
        }
    }
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if !["lib", "main"].contains(&name.as_str()) {
                parts.insert(name, path);
            }
        }
    }
    assert!(parts.len() > 20, "{parts:?}");
    parts
}

/// For each part of the program the parts that it names, as the table of `docs/architecture.md`.
fn who_knows_whom() -> String {
    let parts = parts();
    let mut table = "| part | knows |\n| --- | --- |\n".to_owned();
    let mut tests = 0;
    for (part, place) in &parts {
        let mut all = Vec::new();
        if place.is_dir() {
            files(place, &mut all)
        } else {
            all.push(place.clone())
        }
        // What tests take is their own affair.
        let mut of_tests = Vec::new();
        for file in &all {
            let text = fs::read_to_string(file).unwrap();
            let declared = text.split("#[cfg(test)]\nmod ").skip(1).filter_map(|rest| rest.split(['\n', ' ']).next());
            let names = declared.filter_map(|name| name.strip_suffix(';'));
            of_tests.extend(names.map(|name| [module(place, file), vec![name.to_owned()]].concat()));
        }
        tests += of_tests.len();
        let mut known = BTreeSet::new();
        for file in &all {
            if file == place || !of_tests.iter().any(|test| module(place, file).starts_with(test)) {
                let named = named(&fs::read_to_string(file).unwrap());
                known.extend(
                    named.iter().filter(|path| path[0] == "crate" && path.len() > 1).map(|path| path[1].clone()),
                );
                // A crate that is a part takes in others by their crates' names.
                let of_crates = named.iter().filter(|path| path[0].starts_with("recipe_render_"));
                known.extend(of_crates.filter_map(|path| {
                    let alone = path[0].strip_prefix("recipe_render_").unwrap();
                    if parts.contains_key(alone) && path.len() < 2 {
                        Some(alone.to_owned())
                    } else {
                        path.get(1).cloned()
                    }
                }));
            }
        }
        let known: Vec<String> = known
            .iter()
            .filter(|known| *known != part && parts.contains_key(*known))
            .map(|known| format!("`{known}`"))
            .collect();
        let known = if known.is_empty() { "none of them".to_owned() } else { known.join(", ") };
        table += &format!("| `{part}` | {known} |\n");
    }
    assert!(tests > 10, "{tests}");
    table
}

/// The table in `docs/architecture.md` is the code's. `RECIPE_RENDER_UPDATE=1 cargo test --test layers` writes it anew: look at what
/// has become known to whom.
#[test]
fn the_map_has_the_code_s_arrows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = fs::read_to_string(&page).unwrap();
    let start = text.find("| part | knows |").unwrap();
    let end = start + text[start..].find("\n\n").unwrap() + 1;
    let table = who_knows_whom();
    if std::env::var_os("RECIPE_RENDER_UPDATE").is_some() {
        fs::write(&page, format!("{}{table}{}", &text[..start], &text[end..])).unwrap();
        return;
    }
    assert!(text[start..end] == table, "docs/architecture.md: {table}");
}

/// The map at the top of `docs/architecture.md` has every part, and each file that the page names is there.
#[test]
fn the_map_names_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let map = text.split("```").nth(1).unwrap();
    for (part, place) in parts() {
        let slash = if place.is_dir() { "/" } else { "" };
        let name = format!("{}{slash}", place.strip_prefix(root).unwrap().to_str().unwrap());
        let there = map.lines().any(|line| line.split_whitespace().next() == Some(&name));
        assert!(there, "the map lacks {part}: {name}");
    }
    // Within the part that is told of, or from the root.
    let mut bases: Vec<PathBuf> = ["", "src", "src/preview"].iter().map(|base| root.join(base)).collect();
    bases.extend(fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src")));
    let mut named = 0;
    for path in text.split('`').skip(1).step_by(2).filter(|path| path.contains('/') && path.ends_with(".rs")) {
        // `recipe/read/reader.rs` may stand in the crate that is the part.
        let inner = path.split_once('/').unwrap().1;
        let found = bases.iter().any(|base| base.join(path).is_file() || base.join(inner).is_file());
        assert!(found, "docs/architecture.md names {path}, which is not there");
        named += 1;
    }
    assert!(named > 20, "{named}");
}
