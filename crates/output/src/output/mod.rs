//! Pictures on disk: written whole or not at all, with the recipe inside.

/// Text as pictures.
pub mod font;
/// Which recipe, model and settings a picture came from: what is kept inside it.
pub mod origin;
/// Files under names that nobody has named: only ours are overwritten.
pub mod own;
/// Temporary files of this process, so that an abrupt end leaves none behind.
pub mod pending;
/// PNG with the origin inside, and reading it back.
pub mod png;
/// Many pictures on one, each with its label.
pub mod sheet;
/// Pictures written beside a running render.
pub mod snapshots;
/// Videos of a render.
pub mod video;
/// Files that appear whole or not at all.
pub mod whole;

pub use origin::{Base, Bases, Continued, Facts, Origin, Overrides, TallyLine, UsedModel};
pub use own::{check_own, check_own_picture};
pub use pending::TemporaryFolder;
pub use png::{RecoverError, recover, recover_from, write_png, write_rgb};
pub use snapshots::{Writer, is_snapshot_of, phase_path, sheet_path, step_path};
pub use whole::{WriteError, check_writable, make_whole, resolve, write_whole};
