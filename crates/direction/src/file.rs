//! Directions as a safetensors file.
//!
//! Two tensors, `weight` `[C, D]` and `bias` `[C]`, f32, one row per class. If any class is quadratic, also `axes` `[C, R, D]`
//! and `curvatures` `[C, R]`, zero-padded for classes with fewer axes. Everything else is JSON under the key `directions` of
//! the header's metadata, with the version of this format: 2 if there are quadratic classes, otherwise 1.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{About, Direction, DirectionError, Directions, Model, Quadric};

/// The version of the format if all directions are linear.
const LINEAR: u32 = 1;
/// The version if some are quadratic.
const QUADRATIC: u32 = 2;
/// The metadata's only key. With a single key, the same directions give the same bytes.
const KEY: &str = "directions";
/// The maximum size of a file in bytes: a thousand classes of a model whose embeddings are far longer than any known one's.
pub const LONGEST: u64 = 64 << 20;
/// The maximum number of classes in a file.
pub const MOST_CLASSES: usize = 1000;

/// The metadata.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    model: Model,
    made: String,
    classes: Vec<Class>,
}

#[derive(Serialize, Deserialize)]
struct Class {
    name: String,
    #[serde(flatten)]
    about: About,
}

impl Directions {
    /// Returns the file's bytes. The same directions give the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let classes = self.classes.iter().map(|own| Class { name: own.class.clone(), about: own.about.clone() });
        let axes = self.classes.iter().map(Direction::axes).max().unwrap_or(0);
        let version = if axes > 0 { QUADRATIC } else { LINEAR };
        let header = Header { version, model: self.model.clone(), made: self.made.clone(), classes: classes.collect() };
        let bytes = |values: &mut dyn Iterator<Item = f32>| values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
        let weight = bytes(&mut self.classes.iter().flat_map(|own| own.weight.iter().copied()));
        let bias = bytes(&mut self.classes.iter().map(|own| own.bias));
        let (count, width) = (self.classes.len(), self.width());
        let view = |shape: Vec<usize>, data| TensorView::new(Dtype::F32, shape, data);
        let padded = |of: fn(&Quadric) -> &Vec<f32>, length: usize| {
            bytes(&mut self.classes.iter().flat_map(|own| {
                let values = own.quadric.iter().flat_map(of).copied();
                values.chain(std::iter::repeat(0.0)).take(length)
            }))
        };
        let (rows, curvatures) = (padded(|own| &own.axes, axes * width), padded(|own| &own.curvatures, axes));
        let written = serde_json::to_string(&header).ok().and_then(|header| {
            let mut tensors =
                vec![("bias", view(vec![count], &bias).ok()?), ("weight", view(vec![count, width], &weight).ok()?)];
            if axes > 0 {
                tensors.push(("axes", view(vec![count, axes, width], &rows).ok()?));
                tensors.push(("curvatures", view(vec![count, axes], &curvatures).ok()?));
            }
            safetensors::serialize(tensors, Some(HashMap::from([(KEY.to_owned(), header)]))).ok()
        });
        // Neither step can fail on the contents of a `Directions`.
        written.unwrap_or_default()
    }

    /// Reads a file. Nothing in it is trusted; the error says what is wrong with it.
    pub fn open(path: &Path) -> Result<Directions, DirectionError> {
        use std::io::Read;
        let failed = |source| DirectionError::Read { path: path.to_path_buf(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        Directions::from_bytes(&bytes).map_err(|message| DirectionError::File { path: path.to_path_buf(), message })
    }

    /// Reads the bytes of a file; the error says what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Directions, String> {
        if bytes.len() as u64 > LONGEST {
            return Err(format!("is longer than the {} MB that a file of directions can have", LONGEST >> 20));
        }
        let none = || "is not a file of directions".to_owned();
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|_| none())?;
        let text = metadata.metadata().as_ref().and_then(|said| said.get(KEY)).ok_or_else(none)?;
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(text).map_err(|_| none())?;
        if version != LINEAR && version != QUADRATIC {
            let known = format!("this program reads versions {LINEAR} and {QUADRATIC}");
            return Err(format!("has version {version} of the format; {known}"));
        }
        let header: Header = serde_json::from_str(text).map_err(|error| format!("is damaged: {error}"))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| format!("is damaged: {error}"))?;
        let values = |name: &str| {
            let tensor = file.tensor(name).map_err(|_| format!("is damaged: it has no `{name}`"))?;
            if tensor.dtype() != Dtype::F32 {
                return Err(format!("is damaged: `{name}` is not f32"));
            }
            let values: Vec<f32> = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Ok((tensor.shape().to_vec(), values))
        };
        let ((shape, weight), (of_bias, bias)) = (values("weight")?, values("bias")?);
        let count = header.classes.len();
        let (&[classes, width], true) = (shape.as_slice(), of_bias == [count]) else {
            return Err(format!("is damaged: `weight` is {shape:?} and `bias` {of_bias:?} for {count} classes"));
        };
        if classes != count || count == 0 || width == 0 {
            return Err(format!("is damaged: `weight` is {shape:?} for {count} classes"));
        }
        if count > MOST_CLASSES {
            return Err(format!("has {count} classes, more than {MOST_CLASSES}"));
        }
        let (axes, curvatures) = match version {
            LINEAR => (Vec::new(), Vec::new()),
            _ => {
                let ((shape, axes), (of_curvatures, curvatures)) = (values("axes")?, values("curvatures")?);
                let &[_, each] = of_curvatures.as_slice() else {
                    return Err(format!("is damaged: `curvatures` is {of_curvatures:?}"));
                };
                if of_curvatures != [count, each] || shape != [count, each, width] || each == 0 {
                    return Err(format!("is damaged: `axes` is {shape:?} and `curvatures` {of_curvatures:?}"));
                }
                (axes, curvatures)
            }
        };
        if ![&weight, &bias, &axes, &curvatures].into_iter().flatten().all(|value| value.is_finite()) {
            return Err("is damaged: some of its values are not finite".into());
        }
        let each = curvatures.len() / count;
        let quadric = |class: usize| {
            let curvatures = curvatures.get(class * each..(class + 1) * each)?;
            let there = |row: &usize| curvatures[*row] != 0.0;
            let rows: Vec<usize> = (0..each).filter(there).collect();
            let axis = |row: &usize| &axes[(class * each + row) * width..][..width];
            let axes = rows.iter().flat_map(axis).copied().collect();
            let curvatures = rows.iter().map(|row| curvatures[*row]).collect();
            (!rows.is_empty()).then_some(Quadric { axes, curvatures })
        };
        let quadrics: Vec<Option<Quadric>> = (0..count).map(quadric).collect();
        let rows = header.classes.into_iter().zip(weight.chunks_exact(width)).zip(bias).zip(quadrics);
        let mut read: Vec<Direction> = Vec::with_capacity(count);
        for (((Class { name, about }, weight), bias), quadric) in rows {
            if name.trim().is_empty() || read.iter().any(|other| other.class == name) {
                return Err(format!("is damaged: the name \"{name}\" is empty or occurs twice"));
            }
            if weight.iter().all(|value| *value == 0.0) {
                return Err(format!("is damaged: the direction of \"{name}\" is zero"));
            }
            read.push(Direction { class: name, weight: weight.to_vec(), bias, quadric, about });
        }
        Ok(Directions { model: header.model, made: header.made, classes: read })
    }

    /// Returns an error if the directions belong to another model; `path` is their file.
    pub fn belong_to(&self, used: &Model, path: &Path) -> Result<(), DirectionError> {
        if self.model.hash == used.hash {
            return Ok(());
        }
        Err(DirectionError::OtherModel { path: path.to_path_buf(), of: self.model.clone(), used: used.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Count, Interval, Scores};

    fn directions() -> Directions {
        let interval = Interval { value: 0.9, low: 0.8, high: 0.95 };
        let scores = Scores {
            positives: Count { right: 9, of: 10 },
            negatives: Count { right: 8, of: 10 },
            accuracy: interval,
            area: interval,
        };
        let about = About { positives: 50, negatives: 60, strength: Some(1e-3), scores: Some(scores) };
        let class = |name: &str, weight: [f32; 3]| Direction {
            class: name.into(),
            weight: weight.to_vec(),
            bias: -0.5,
            quadric: None,
            about: about.clone(),
        };
        Directions {
            model: Model { name: "pocket".into(), hash: "ab".repeat(32) },
            made: "--classes \"my pictures\"".into(),
            classes: vec![class("letters", [1.0, -2.0, 0.5]), class("grids, \"and\" more", [0.0, 1e-30, 3e8])],
        }
    }

    #[test]
    fn what_is_written_is_read_and_always_the_same() {
        let bytes = directions().to_bytes();
        assert_eq!(Directions::from_bytes(&bytes).unwrap(), directions());
        assert_eq!(bytes, directions().to_bytes());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        assert!(matches!(Directions::open(&path), Err(DirectionError::Read { .. })));
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Directions::open(&path).unwrap(), directions());
        std::fs::write(&path, "garbage").unwrap();
        let error = Directions::open(&path).unwrap_err();
        assert!(error.to_string().ends_with("a.safetensors: is not a file of directions"), "{error}");
    }

    /// The second class is quadratic, with fewer axes than the third.
    fn quadratic() -> Directions {
        let mut all = directions();
        let third = Direction { class: "third".into(), ..all.classes[0].clone() };
        all.classes.push(third);
        all.classes[1].quadric = Some(Quadric { axes: vec![1.0, 0.0, -2.0], curvatures: vec![-3.0] });
        let axes = (0..6).map(|i| i as f32).collect();
        all.classes[2].quadric = Some(Quadric { axes, curvatures: vec![0.5, 4.0] });
        all
    }

    #[test]
    fn quadratic_ones_are_another_version() {
        let bytes = quadratic().to_bytes();
        assert_eq!(Directions::from_bytes(&bytes).unwrap(), quadratic());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            text(&bytes).contains(r#"\"version\":2"#) && text(&directions().to_bytes()).contains(r#"\"version\":1"#)
        );
    }

    #[test]
    fn nothing_in_a_damaged_file_is_trusted() {
        damage(&directions().to_bytes());
        damage(&quadratic().to_bytes());
    }

    fn damage(bytes: &[u8]) {
        for length in 0..bytes.len() {
            assert!(Directions::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        // Whatever these give, they must not panic.
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= flip;
                let _ = Directions::from_bytes(&damaged);
            }
        }
        assert!(Directions::from_bytes(&[0xff; 64]).is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |change: fn(&mut Directions)| {
            let mut wrong = directions();
            change(&mut wrong);
            Directions::from_bytes(&wrong.to_bytes()).unwrap_err()
        };
        assert!(said(|d| d.classes[0].bias = f32::NAN).contains("not finite"));
        assert!(said(|d| d.classes[1].class = "letters".into()).contains("occurs twice"));
        assert!(said(|d| d.classes[1].weight.fill(0.0)).contains("is zero"));
        assert!(said(|d| d.classes[1].weight.truncate(1)).contains("not a file of directions"));
        let bytes = directions().to_bytes();
        let at = bytes.windows(11).position(|part| part == br#"version\":1"#).unwrap() + 10;
        let mut newer = bytes;
        newer[at] = b'3';
        let error = Directions::from_bytes(&newer).unwrap_err();
        assert!(error.contains("version 3"), "{error}");
        newer[at] = b'2';
        assert!(Directions::from_bytes(&newer).unwrap_err().contains("no `axes`"));
    }

    #[test]
    fn another_model_s_directions_are_refused() {
        let own = directions();
        let path = Path::new("letters.safetensors");
        assert!(own.belong_to(&own.model, path).is_ok());
        let other = Model { name: "vit-b-32".into(), hash: "cd".repeat(32) };
        let error = own.belong_to(&other, path).unwrap_err();
        assert!(error.to_string().contains("it is for `pocket`, not for `vit-b-32`"), "{error}");
        assert!(error.hint().unwrap().contains("direction fit --model vit-b-32 ... -o letters.safetensors"));
        let changed = Model { hash: "cd".repeat(32), ..own.model.clone() };
        assert!(own.belong_to(&changed, path).unwrap_err().to_string().contains("the files of `pocket` have changed"));
    }
}
