//! The names that a model knows or is asked about: a file with one per line.

use super::{ClipError, ModelFolder};

/// A name that a model can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub name: String,
    /// Additional information, such as what the model draws it with.
    pub remark: Option<String>,
}

impl Name {
    /// Parses names, one per line, each optionally followed by a tab and a remark. The error gives the line and what is wrong
    /// with it.
    pub fn list(text: &str) -> Result<Vec<Name>, String> {
        let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
        let names = lines.map(|(index, line)| {
            let (name, remark) = line.split_once('\t').map_or((line, None), |(name, remark)| (name, Some(remark)));
            let name = name.trim();
            if name.is_empty() {
                return Err(format!("line {}: there is no name on it", index + 1));
            }
            let remark = remark.map(str::trim).filter(|remark| !remark.is_empty());
            Ok(Name { name: name.to_owned(), remark: remark.map(str::to_owned) })
        });
        let names: Vec<Name> = names.collect::<Result<_, _>>()?;
        if names.is_empty() { Err("there are no names in it".to_owned()) } else { Ok(names) }
    }

    /// Returns the names that a model's folder lists, in order, or `None` if it lists none.
    pub fn of(model: &ModelFolder) -> Result<Option<Vec<Name>>, ClipError> {
        let Some(names) = &model.description.names else { return Ok(None) };
        let wrong = |message: String| ClipError::Description {
            path: model.folder().unwrap_or("(embedded)".as_ref()).join(&names.file),
            message,
        };
        let bytes = model.bytes(&names.file)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| wrong(format!("this is not UTF-8 text: {error}")))?;
        Name::list(text).map(Some).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_on_a_line_with_its_remark() {
        let names = Name::list("red apple\tas an icon\nsword\r\nsea\t \n").unwrap();
        let said: Vec<(&str, Option<&str>)> =
            names.iter().map(|name| (name.name.as_str(), name.remark.as_deref())).collect();
        assert_eq!(said, [("red apple", Some("as an icon")), ("sword", None), ("sea", None)]);
    }

    #[test]
    fn lines_without_a_name_are_told() {
        assert!(Name::list("sword\n\tas an icon\n").unwrap_err().starts_with("line 2:"));
        assert!(Name::list("sword\n\nsea\n").unwrap_err().starts_with("line 2:"));
        assert!(Name::list("").is_err());
    }
}
