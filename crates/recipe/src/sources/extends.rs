//! Resolves `extends`: finds the recipes that a recipe builds on.
//!
//! ```text
//! recipe ─ extends ─▶ base ─ extends ─▶ base        files, or texts kept in a picture
//!   └────── merge ◀────┘                            the later one over the earlier ones
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use toml::de::DeTable;

use crate::given::{Base, Bases};
use crate::keys::RECIPE;
use crate::report::diagnostic::Diagnostic;
use crate::report::nearest::nearest;
use crate::report::paths::missing_hint;
use crate::sources::merge::Merge;
use crate::syntax::text;
use crate::syntax::text::{Open, RecipeText, Trouble};
use crate::syntax::tree::moved;
use crate::texts::{SourceFile, Sources};

/// The maximum length of a chain of recipes.
const DEEPEST: usize = 16;
/// The maximum number of recipes that make up one, each counted as often as it is built on.
const MOST: usize = 64;

/// A recipe with all the recipes that it builds on, whose texts are among the sources.
pub(crate) struct Family {
    pub sources: Sources,
    /// The recipe itself, then the others in the order in which they were found.
    members: Vec<Member>,
    /// Diagnostics about the files themselves.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read or looked for, besides the recipe's own.
    pub files: Vec<PathBuf>,
    read_extends: ReadExtends,
}

struct Member {
    file: Arc<SourceFile>,
    /// Where its text begins among the sources.
    start: usize,
    /// Its path relative to the recipe's folder.
    relative: PathBuf,
    /// What distinguishes it from other members.
    identity: Identity,
    /// The stored texts that its bases come from, unless they are files.
    kept: Option<Rc<StoredTexts>>,
    /// The indices of its bases among the members, in written order, without those that could not be read.
    extends: Vec<usize>,
    /// Whether it is valid TOML.
    sound: bool,
}

/// Texts stored in a picture.
struct StoredTexts {
    bases: Bases,
    /// The picture's folder, which their paths are relative to, and the same folder relative to the recipe's.
    folder: PathBuf,
    relative: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    File(PathBuf),
    /// One of the texts stored in a picture. The picture is identified by the address of its texts.
    Stored(*const StoredTexts, usize),
}

/// One entry of `extends`.
pub(crate) struct NamedBase {
    pub text: String,
    pub span: Range<usize>,
}

/// Reads the entries of a document's `extends`, with diagnostics of what is malformed.
pub(crate) type ReadExtends = fn(&Sources, &DeTable<'_>) -> (Vec<NamedBase>, Vec<Diagnostic>);

impl Family {
    /// Reads everything that a recipe builds on. What cannot be read is reported where it is named.
    pub fn of(recipe: &RecipeText, open: Open<'_>, read_extends: ReadExtends) -> Family {
        let file = SourceFile::new(&recipe.path, recipe.text.as_str());
        let mut family = Family {
            sources: Sources::of(file.clone()),
            read_extends,
            members: Vec::new(),
            diagnostics: Vec::new(),
            files: Vec::new(),
        };
        let folder = recipe.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let kept = recipe.bases.clone().map(|bases| Rc::new(StoredTexts { bases, folder, relative: PathBuf::new() }));
        let relative = recipe.path.file_name().map(PathBuf::from).unwrap_or_default();
        let links = kept.as_ref().map(|kept| kept.bases.extends.clone());
        let member = Member {
            file,
            start: 0,
            relative,
            identity: Identity::File(identity(&recipe.path)),
            kept,
            extends: Vec::new(),
            sound: true,
        };
        family.members.push(member);
        family.look_behind(0, links, &mut vec![0], open);
        family
    }

    /// Whether the recipe's own text is valid TOML.
    pub fn is_sound(&self) -> bool {
        self.members.first().is_some_and(|recipe| recipe.sound)
    }

    /// Finds what a member builds on. `links` are those of a text stored in a picture; `path` leads to the member.
    fn look_behind(&mut self, index: usize, links: Option<Vec<usize>>, path: &mut Vec<usize>, open: Open<'_>) {
        let names = self.names(index);
        let mut seen: Vec<usize> = Vec::new();
        for (entry, named) in names.into_iter().enumerate() {
            let link = links.as_ref().map(|links| links.get(entry).copied());
            let found = match link {
                Some(link) => self.kept(index, link, &named, path, open),
                None => self.file(index, &named, path, open),
            };
            match found {
                Ok(found) if seen.contains(&found) => {
                    let place = self.sources.source_span(&named.span);
                    let message = format!("\"{}\" is named twice", named.text);
                    self.diagnostics.push(Diagnostic::error(place, message).hint("once is enough"));
                }
                Ok(found) => {
                    seen.push(found);
                    self.members[index].extends.push(found);
                }
                Err(trouble) => {
                    if let Some(Trouble { what, hint }) = trouble {
                        let place = self.sources.source_span(&named.span);
                        let message = format!("cannot build on \"{}\": {what}", named.text);
                        self.diagnostics.push(Diagnostic::error(place, message).maybe_hint(hint));
                    }
                }
            }
        }
    }

    /// Returns the entries of a member's `extends`. A member that is not valid TOML is reported and has none.
    fn names(&mut self, index: usize) -> Vec<NamedBase> {
        let Member { file, start, .. } = &self.members[index];
        let document = match text::parse(file) {
            Ok(document) => moved(document, *start),
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                self.members[index].sound = false;
                return Vec::new();
            }
        };
        let (names, diagnostics) = (self.read_extends)(&self.sources, &document);
        self.diagnostics.extend(diagnostics);
        names
    }

    /// Reads a base from a file. Fails with `None` if the trouble is reported elsewhere.
    fn file(
        &mut self,
        by: usize,
        named: &NamedBase,
        path: &mut Vec<usize>,
        open: Open<'_>,
    ) -> Result<usize, Option<Trouble>> {
        let base = self.sources.folder(named.span.start).join(&named.text);
        self.files.push(base.clone());
        let identity = Identity::File(identity(&base));
        if let Some(known) = self.known(&identity, path)? {
            return Ok(known);
        }
        self.room(path)?;
        let recipe = open(&base).map_err(|Trouble { what, hint }| {
            let looked =
                || format!("looked for {}; paths are relative to the folder of the file they are in", base.display());
            let elsewhere = missing_hint(&named.text, &base);
            let hint = elsewhere.or_else(|| like(&base)).or(hint.filter(|_| base.exists())).unwrap_or_else(looked);
            Trouble { what, hint: Some(hint) }
        })?;
        let relative = beside(&self.members[by].relative, &named.text);
        let folder = base.parent().unwrap_or(Path::new("")).to_path_buf();
        let kept = recipe.bases.map(|bases| {
            let relative = relative.parent().unwrap_or(Path::new("")).to_path_buf();
            Rc::new(StoredTexts { bases, folder: folder.clone(), relative })
        });
        let links = kept.as_ref().map(|kept| kept.bases.extends.clone());
        let file = SourceFile::new(&base, recipe.text);
        Ok(self.add(file, folder, Whereabouts { relative, identity, kept }, links, path, open))
    }

    /// Takes a base from the texts stored in a picture.
    fn kept(
        &mut self,
        by: usize,
        link: Option<usize>,
        named: &NamedBase,
        path: &mut Vec<usize>,
        open: Open<'_>,
    ) -> Result<usize, Option<Trouble>> {
        let Some(kept) = self.members[by].kept.clone() else { return Err(None) };
        let base = link.and_then(|link| Some((link, kept.bases.recipes.get(link)?)));
        let Some((link, base)) = base else {
            let what = "the picture does not contain it".to_owned();
            return Err(Some(Trouble { what, hint: Some(format!("it was called {}", named.text)) }));
        };
        let identity = Identity::Stored(Rc::as_ptr(&kept), link);
        if let Some(known) = self.known(&identity, path)? {
            return Ok(known);
        }
        self.room(path)?;
        let file = SourceFile::new(&kept.folder.join(&base.path), base.text.as_str());
        let folder = file.path.parent().unwrap_or(Path::new("")).to_path_buf();
        let relative = kept.relative.join(&base.path);
        let links = Some(base.extends.clone());
        Ok(self.add(file, folder, Whereabouts { relative, identity, kept: Some(kept) }, links, path, open))
    }

    /// Finds a known member by its identity. Fails if it is on the path to itself.
    fn known(&self, identity: &Identity, path: &[usize]) -> Result<Option<usize>, Trouble> {
        let known = self.members.iter().position(|member| member.identity == *identity);
        let Some(from) = known.and_then(|known| path.iter().position(|index| *index == known)) else {
            return Ok(known);
        };
        let name = |index: &usize| self.members[*index].relative.display().to_string();
        let mut names: Vec<String> = path[from..].iter().map(name).collect();
        names.extend(known.as_ref().map(name));
        Err(Trouble {
            what: "it builds on this recipe itself".into(),
            hint: Some(format!("the cycle is {}", names.join(" -> "))),
        })
    }

    fn room(&self, path: &[usize]) -> Result<(), Trouble> {
        let what = match (path.len() > DEEPEST, self.members.len() > MOST) {
            (true, _) => format!("recipes build on one another more than {DEEPEST} levels deep"),
            (_, true) => format!("the recipe builds on more than {MOST} others"),
            _ => return Ok(()),
        };
        Err(Trouble { what, hint: None })
    }

    /// Adds a base and what it builds on.
    fn add(
        &mut self,
        file: Arc<SourceFile>,
        folder: PathBuf,
        whereabouts: Whereabouts,
        links: Option<Vec<usize>>,
        path: &mut Vec<usize>,
        open: Open<'_>,
    ) -> usize {
        let start = self.sources.add(file.clone(), folder);
        let Whereabouts { relative, identity, kept } = whereabouts;
        let index = self.members.len();
        self.members.push(Member { file, start, relative, identity, kept, extends: Vec::new(), sound: true });
        path.push(index);
        self.look_behind(index, links, path, open);
        path.pop();
        index
    }

    /// Merges the members' documents into one, each laid over those that it builds on.
    pub fn merged<'s>(&'s self, diagnostics: &mut Vec<Diagnostic>) -> DeTable<'s> {
        let mut merge = Merge::new(&self.sources, self.members.len() > 1);
        let mut document = DeTable::new();
        let mut order = Vec::new();
        self.order(0, &mut order);
        if order.len() > MOST {
            let message =
                format!("this recipe builds on more than {MOST} others, counting each every time it is built on");
            diagnostics.push(Diagnostic::whole(self.sources.main().clone(), message));
            order.drain(..order.len() - 1);
        }
        for member in order.into_iter().map(|index| &self.members[index]) {
            if let Ok(above) = text::parse(&member.file) {
                merge.table(&RECIPE, &mut document, moved(above, member.start));
            }
        }
        diagnostics.append(&mut merge.diagnostics);
        document
    }

    /// Collects the members in the order in which they are merged, stopping soon after [`MOST`].
    fn order(&self, index: usize, order: &mut Vec<usize>) {
        for base in &self.members[index].extends {
            if order.len() <= MOST {
                self.order(*base, order);
            }
        }
        order.push(index);
    }

    /// Returns everything that a picture has to store besides the recipe.
    pub fn bases(&self) -> Bases {
        // The recipe itself is not among the stored ones, so indices shift by one.
        let links = |member: &Member| member.extends.iter().map(|index| index - 1).collect();
        let base = |member: &Member| Base {
            path: member.relative.to_string_lossy().into_owned(),
            text: member.file.text.clone(),
            extends: links(member),
        };
        let Some((recipe, others)) = self.members.split_first() else { return Bases::default() };
        Bases { extends: links(recipe), recipes: others.iter().map(base).collect() }
    }
}

/// Where a member comes from, see [`Member`].
struct Whereabouts {
    relative: PathBuf,
    identity: Identity,
    kept: Option<Rc<StoredTexts>>,
}

/// Returns the identity of a file, the same for every path to it.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Resolves a path that is named in the file `from`.
fn beside(from: &Path, named: &str) -> PathBuf {
    from.parent().unwrap_or(Path::new("")).join(named)
}

/// Suggests a recipe in the same folder with a name similar to a missing one.
fn like(missing: &Path) -> Option<String> {
    if missing.exists() {
        return None;
    }
    let name = missing.file_stem()?.to_str()?;
    let folder = missing.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files =
        std::fs::read_dir(folder).ok()?.take(1000).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let stem = |file: &str| file.strip_suffix(".toml").or(file.strip_suffix(".png")).map(str::to_owned);
    let mut recipes: Vec<(String, String)> = files.filter_map(|file| Some((stem(&file)?, file))).collect();
    recipes.sort();
    let near = nearest(name, recipes.iter().map(|(stem, _)| stem.as_str()))?;
    recipes.iter().find(|(stem, _)| stem == near).map(|(_, file)| format!("did you mean `{file}`?"))
}
