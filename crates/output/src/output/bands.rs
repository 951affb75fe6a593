//! PNG files of pictures that need not be in memory as a whole: rows come in any number at a time, are compressed in bands, several
//! bands at once, and are written as they come.
//!
//! A band is a piece of a deflate stream that ends at a byte and refers to nothing before it (RFC 1951, a flushed block), so bands can be
//! compressed independently and joined. The file's bytes depend on the rows alone, not on how many come at a time, nor on threads.

use std::io::{self, Write};
use std::path::Path;

use flate2::{Compress, Compression, FlushCompress};
use rayon::prelude::*;

use super::origin::Origin;
use super::png::{into_io, open};
use super::whole::{WriteError, write_whole};
use crate::plan::Size;

/// A picture of more pixels than this had better be written by rows: it would take half a gigabyte and more as a whole.
pub const LARGE: usize = 1 << 25;

/// Bytes of rows in a band, unless a single row has more.
const BAND: usize = 1 << 20;
/// Most of what the default level spares, in a third of the time.
const LEVEL: u32 = 3;
/// The beginning of a zlib stream (RFC 1950): deflate, with a window of 32 KiB.
const ZLIB: [u8; 2] = [0x78, 0x9c];
/// A last deflate block that is empty.
const END: [u8; 2] = [0x03, 0x00];

/// Takes rows of interleaved 8-bit RGB, any number of whole ones at a time, from top to bottom.
pub type RowSink<'s> = dyn FnMut(&[u8]) -> io::Result<()> + 's;

/// Writes a picture of a size to `path`, whole or not at all, of rows that `rows` gives to a sink. The file says where it comes from, as
/// with [`write_png`](super::write_png).
///
/// # Errors
/// If the file cannot be written, or if `rows` fails or does not give the picture's rows.
pub fn write_png_rows(
    path: &Path,
    size: Size,
    origin: &Origin,
    rows: impl FnOnce(&mut RowSink<'_>) -> io::Result<()>,
) -> Result<(), WriteError> {
    write_whole(path, |file| encode(file, size, origin, rows))
}

fn encode(
    file: &mut dyn Write,
    size: Size,
    origin: &Origin,
    rows: impl FnOnce(&mut RowSink<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = open(file, size, origin).map_err(into_io)?;
    let mut bands = Bands::new(size);
    rows(&mut |rows| bands.push(rows, &mut |data| writer.write_chunk(png::chunk::IDAT, data).map_err(into_io)))?;
    let end = bands.finish(&mut |data| writer.write_chunk(png::chunk::IDAT, data).map_err(into_io));
    end.and_then(|()| writer.finish().map_err(into_io))
}

/// Rows on their way into a zlib stream.
struct Bands {
    /// Bytes in a row.
    row: usize,
    /// Bytes in a band but the last.
    band: usize,
    /// Rows still to come.
    left: usize,
    /// The row above the first pending one; zeros above the picture.
    above: Vec<u8>,
    /// Rows that do not fill a band yet.
    pending: Vec<u8>,
    begun: bool,
    checksum: Adler,
}

impl Bands {
    fn new(size: Size) -> Bands {
        let row = 3 * size.width as usize;
        let band = (BAND / row.max(1)).max(1) * row;
        let (left, above) = (size.height as usize, vec![0; row]);
        Bands { row, band, left, above, pending: Vec::new(), begun: false, checksum: Adler::default() }
    }

    /// Takes rows, and gives compressed pieces of the stream to `write`.
    fn push(&mut self, rows: &[u8], write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let count = rows.len() / self.row;
        if !rows.len().is_multiple_of(self.row) || count > self.left {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "rows that do not belong to the picture"));
        }
        self.left -= count;
        self.pending.extend_from_slice(rows);
        let ready = if self.left == 0 { self.pending.len() } else { self.pending.len() / self.band * self.band };
        self.compress(ready, write)
    }

    /// Compresses the first pending bytes: whole bands, and what is left at the end.
    fn compress(&mut self, ready: usize, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if ready == 0 {
            return Ok(());
        }
        let (row, band, above, rows) = (self.row, self.band, &self.above, &self.pending[..ready]);
        let bands = rows.par_chunks(band).enumerate().map(|(index, own)| {
            let above = if index == 0 { above } else { &rows[index * band - row..index * band] };
            let filtered = filtered(above, own, row);
            Ok((deflated(&filtered)?, Adler::of(&filtered)))
        });
        let bands: Vec<(Vec<u8>, Adler)> = bands.collect::<io::Result<_>>()?;
        for (data, checksum) in bands {
            if !std::mem::replace(&mut self.begun, true) {
                write(&ZLIB)?;
            }
            write(&data)?;
            self.checksum = self.checksum.then(checksum);
        }
        self.above.copy_from_slice(&self.pending[ready - row..ready]);
        self.pending.drain(..ready);
        Ok(())
    }

    fn finish(self, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the picture's last rows are missing"));
        }
        write(&END)?;
        write(&self.checksum.value().to_be_bytes())
    }
}

/// Returns rows in the form that PNG compresses (third edition, 9): each with the number of its filter before it. `above`: the row above
/// the first.
fn filtered(above: &[u8], rows: &[u8], row: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() + rows.len() / row);
    let mut above = above;
    for own in rows.chunks_exact(row) {
        // The filter whose differences are smallest, as the specification suggests (12.7).
        let up = || own.iter().zip(above).map(|(own, above)| own.wrapping_sub(*above));
        let left = || [0; 3].iter().chain(own);
        let sub = || own.iter().zip(left()).map(|(own, left)| own.wrapping_sub(*left));
        let cost = |differences: &mut dyn Iterator<Item = u8>| -> u64 {
            differences.map(|difference| u64::from((difference as i8).unsigned_abs())).sum()
        };
        if cost(&mut sub()) < cost(&mut up()) {
            out.push(1);
            out.extend(sub());
        } else {
            out.push(2);
            out.extend(up());
        }
        above = own;
    }
    out
}

/// Compresses bytes to deflate blocks that end at a byte and are not the last.
fn deflated(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    loop {
        let read = compress.total_in() as usize;
        compress.compress_vec(&bytes[read..], &mut out, FlushCompress::Sync).map_err(io::Error::other)?;
        // While there is no room left, there may be more to come.
        if compress.total_in() as usize == bytes.len() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(bytes.len() / 4 + 64);
    }
}

/// A zlib stream's checksum (RFC 1950), of bytes and of their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Adler {
    low: u64,
    high: u64,
    length: u64,
}

impl Default for Adler {
    fn default() -> Adler {
        Adler { low: 1, high: 0, length: 0 }
    }
}

impl Adler {
    const MODULUS: u64 = 65_521;

    fn of(bytes: &[u8]) -> Adler {
        let (mut low, mut high) = (1u64, 0u64);
        // The sums of so many bytes fit.
        for bytes in bytes.chunks(1 << 20) {
            for byte in bytes {
                low += u64::from(*byte);
                high += low;
            }
            (low, high) = (low % Adler::MODULUS, high % Adler::MODULUS);
        }
        Adler { low, high, length: bytes.len() as u64 }
    }

    /// The checksum of these bytes and others after them.
    fn then(self, other: Adler) -> Adler {
        let modulus = Adler::MODULUS;
        // The other's sums began with 1 instead of the low sum of these.
        let more = (self.low + modulus - 1) % modulus;
        Adler {
            low: (more + other.low) % modulus,
            high: (self.high + other.high + other.length % modulus * more) % modulus,
            length: self.length + other.length,
        }
    }

    fn value(self) -> u32 {
        (self.high << 16 | self.low) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::super::recover;
    use super::*;
    use crate::output::Facts;

    fn origin() -> Origin {
        Origin { recipe: "a = 1".into(), bases: Default::default(), facts: Facts::default() }
    }

    #[test]
    fn rows_come_back_however_many_come_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let size = Size { width: 1000, height: 1100 };
        let row = 3000;
        // Slopes, and noise in the lower half: more than three bands.
        let noise = |i: usize| (i.wrapping_mul(2_654_435_761) >> 13) as u8;
        let pixels: Vec<u8> =
            (0..row * 1100).map(|i| if i < row * 500 { (i % row / 17 + i / row) as u8 } else { noise(i) }).collect();
        let mut files = Vec::new();
        for (index, at_a_time) in [1, 64, 349, 1100].into_iter().enumerate() {
            let path = folder.path().join(format!("{index}.png"));
            write_png_rows(&path, size, &origin(), |sink| pixels.chunks(at_a_time * row).try_for_each(sink)).unwrap();
            assert_eq!(recover(&path).unwrap(), origin());
            let bytes = std::fs::read(&path).unwrap();
            assert!(image::load_from_memory(&bytes).unwrap().into_rgb8().into_raw() == pixels, "{at_a_time}");
            files.push(bytes);
        }
        assert!(files.iter().all(|file| *file == files[0]) && files[0].len() < pixels.len());
    }

    #[test]
    fn rows_that_are_missing_or_too_many_leave_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, size) = (folder.path().join("picture.png"), Size { width: 4, height: 3 });
        for count in [0, 2, 4] {
            assert!(write_png_rows(&path, size, &origin(), |sink| sink(&vec![7; 12 * count])).is_err(), "{count}");
        }
        assert!(write_png_rows(&path, size, &origin(), |sink| sink(&[7; 13])).is_err());
        assert!(!path.exists() && std::fs::read_dir(folder.path()).unwrap().next().is_none());
        write_png_rows(&path, size, &origin(), |sink| sink(&[7; 36])).unwrap();
        assert!(image::open(&path).unwrap().into_rgb8().pixels().all(|pixel| pixel.0 == [7; 3]));
    }
}
