//! What there is to say in a recipe, for editors and readers; and what it means where it says nothing.

pub(super) mod defaults;
pub(super) mod json;
pub(super) mod reference;
