//! What a recipe can say, for editors and readers.

pub(super) mod json;
pub(super) mod reference;
