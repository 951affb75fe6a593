//! What a recipe can say, for editors and readers, and the defaults for what it does not say.

pub(super) mod defaults;
pub(super) mod json;
pub(super) mod reference;
