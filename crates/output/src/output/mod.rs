//! Pictures on disk: written whole or not at all, with the recipe inside.

/// PNG of pictures that come row by row.
pub mod bands;
/// Text as pictures.
pub mod font;
/// The recipe, model and settings that a picture came from, as stored inside it.
pub mod origin;
/// Files under names that the user did not choose: only our own are overwritten.
pub mod own;
/// PNG with the origin inside, and reading it back.
pub mod png;
/// Contact sheets: many pictures on one, each with its label.
pub mod sheet;
/// Pictures written while a render is running.
pub mod snapshots;
/// Videos of a render.
pub mod video;
/// Files that appear whole or not at all.
pub mod whole;

pub use bands::{LARGE, RowSink, write_png_rows};
pub use origin::{Continued, Facts, Origin, TallyLine, UsedModel};
pub use own::{check_own, check_own_picture};
pub use png::{RecoverError, recover, recover_from, write_png, write_rgb};
pub use snapshots::{Writer, is_snapshot_of, phase_path, sheet_path, step_path};
pub use whole::{WriteError, check_writable, make_whole, resolve, write_whole};
