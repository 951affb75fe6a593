//! The finished picture on disk.

use std::path::Path;

use crate::output::{LARGE, Origin, WriteError, write_png, write_png_rows};
use crate::render::Rendered;

/// Writes the finished picture: a large one by its rows, so that it is never in memory as a whole.
pub(super) fn write_picture(path: &Path, rendered: &Rendered, origin: &Origin) -> Result<(), WriteError> {
    if rendered.size().area() > LARGE {
        write_png_rows(path, rendered.size(), origin, |sink| rendered.rows(sink))
    } else {
        write_png(path, &rendered.picture(), origin)
    }
}
