//! `recipe-render new NAME`: writes a new recipe to start from.

mod shipped;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::cli::args::NewArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::source::Source;
use crate::cli::terminal::Voice;
use crate::clip::data_folder;
use crate::output::write_whole;
use crate::recipe;

/// The recipe that is written without `--from`.
const TEMPLATE: &str = include_str!("template.toml");
/// The schema's file name.
const SCHEMA: &str = "recipe.schema.json";

/// Writes NAME.toml, never over an existing file.
pub fn run(args: &NewArgs, voice: &Voice) -> Outcome {
    let path = place(&args.name)?;
    if path.symlink_metadata().is_ok() {
        return Err(present(&path));
    }
    let text = match &args.from {
        None => template(&path),
        Some(from) => copied(from)?,
    };
    let text = match schema(&path) {
        Ok(line) => format!("{line}\n{}", without_schema(&text)),
        Err(why) => {
            voice.warning(&format!("no schema for editors: {why}"));
            without_schema(&text).to_owned()
        }
    };
    write(&path, &text)?;
    voice.note(&format!("{}: written; next: recipe-render {}", path.display(), quoted(&path)));
    // Paths in a recipe are relative to its folder, which may have changed.
    let source = Source::of(&path, text);
    if let Err(failure) = source.compile_silently(&recipe::Overrides::default()) {
        voice.rendered(&failure.message);
        voice.warning("the recipe was copied unchanged, but is not valid here");
    }
    Ok(Exit::Done)
}

/// Returns the recipe's path, with `.toml` added to a name without it.
fn place(name: &Path) -> Result<PathBuf, Failure> {
    let named = name.file_name().filter(|_| !name.as_os_str().to_string_lossy().ends_with(['/', '\\']));
    let Some(file) = named else {
        return Err(Failure::wrong(format!("{}: not a name for a recipe", name.display())));
    };
    if name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return Ok(name.to_path_buf());
    }
    let mut file: OsString = file.to_owned();
    file.push(".toml");
    Ok(name.with_file_name(file))
}

fn present(path: &Path) -> Failure {
    Failure::wrong(format!("{}: already exists", path.display()))
        .hint("recipes are never overwritten: choose another name")
}

/// Returns the template with the file's name as its title.
fn template(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let words = stem.replace(['-', '_'], " ");
    let title = if words.trim().is_empty() { "Untitled" } else { words.trim() };
    TEMPLATE.replace("\"TITLE\"", &toml::Value::String(title.to_owned()).to_string())
}

/// Returns the text of a shipped recipe, of a file, or of the recipe inside a picture.
fn copied(from: &Path) -> Result<String, Failure> {
    let name = from.to_str().unwrap_or_default();
    let name = name.strip_suffix(".toml").unwrap_or(name);
    let shipped = shipped::RECIPES.iter().find(|(shipped, _)| *shipped == name);
    match (from.exists(), shipped) {
        (false, Some((_, text))) => Ok((*text).to_owned()),
        (false, None) => {
            let names: Vec<&str> = shipped::RECIPES.iter().map(|(name, _)| *name).collect();
            Err(Failure::wrong(format!("--from {}: neither a file nor a shipped recipe", from.display()))
                .hint(format!("the shipped recipes are {}", names.join(", "))))
        }
        (true, _) => Source::read(from).map(|source| source.text),
    }
}

/// Returns the text without its schema line, whose path is relative to the folder the text came from.
fn without_schema(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.split_once('\n') {
        Some((first, rest)) if first.trim_start().starts_with("#:schema") => rest,
        _ => text,
    }
}

/// Returns the line that leads editors to the schema: the one near the recipe, or else a copy among the program's own files.
fn schema(recipe: &Path) -> Result<String, String> {
    let folder = recipe.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for near in ["", "schema/", "../schema/"] {
        if folder.join(near).join(SCHEMA).is_file() {
            let here = if near.starts_with("..") { "" } else { "./" };
            return Ok(format!("#:schema {here}{near}{SCHEMA}"));
        }
    }
    let data = data_folder().ok_or("there is no folder for the program's files")?;
    let path = data.join(SCHEMA);
    let text = recipe::schema_text();
    if std::fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
        std::fs::create_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
        write_whole(&path, |file| file.write_all(text.as_bytes())).map_err(|error| error.to_string())?;
    }
    Ok(format!("#:schema {}", url(&path)))
}

/// Converts an absolute path to a URL.
fn url(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let mut url = String::from("file://");
    if !path.starts_with('/') {
        url.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b':' => url.push(byte.into()),
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url
}

/// Writes a new file, whole or not at all. A file that has appeared meanwhile is not overwritten.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => present(path),
        ErrorKind::NotFound => Failure::failed(format!("{}: the folder does not exist", path.display()))
            .hint(format!("make it first: mkdir -p {}", folder.display())),
        _ => Failure::failed(format!("{}: not written: {error}", path.display())),
    };
    let mut builder = tempfile::Builder::new();
    // The permissions of an ordinary new file: the user's umask removes the rest.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist_noclobber(path).map(drop).map_err(|error| failed(error.error))
}

/// Formats a path for the shell, quoted where necessary.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_files() {
        for (name, file) in [("a", "a.toml"), ("x/a.v2", "x/a.v2.toml"), ("a.TOML", "a.TOML"), ("a b", "a b.toml")] {
            assert_eq!(place(Path::new(name)).unwrap(), Path::new(file));
        }
        assert!(place(Path::new("x/")).is_err() && place(Path::new("..")).is_err());
    }

    #[test]
    fn the_template_is_sound_whatever_its_title() {
        for name in ["sea-at_night.toml", "--.toml", "say \"no\".toml"] {
            let text = template(Path::new(name));
            let compiled = recipe::compile(name.as_ref(), &text, &recipe::Overrides::default()).unwrap();
            assert_eq!(compiled.warnings, []);
            assert!(compiled.plan.title.is_some());
        }
        assert!(template(Path::new("sea-at_night.toml")).contains("title = \"sea at night\""));
    }

    #[test]
    fn the_schemas_line_gives_way() {
        assert_eq!(without_schema("#:schema ../a.json\nx = 1\n"), "x = 1\n");
        assert_eq!(without_schema("\u{feff}# a\nx = 1\n"), "# a\nx = 1\n");
        assert_eq!(url(Path::new("/home/jo é/a.json")), "file:///home/jo%20%C3%A9/a.json");
        assert_eq!(url(Path::new("C:\\data\\a.json")), "file:///C:/data/a.json");
    }
}
