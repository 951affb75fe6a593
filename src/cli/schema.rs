//! `recipe-render schema`: what editors and people look recipes up in.

use crate::recipe;

/// What the command prints: the JSON schema, or with `--reference` the reference page in Markdown.
pub fn text(reference: bool) -> String {
    if reference { recipe::reference() } else { recipe::schema_text() }
}
