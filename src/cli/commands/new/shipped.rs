//! The recipes shipped with the program, as starting points.

/// Makes the table of recipes from their names in `recipes/`.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../recipes/", $name, ".toml")))),*]
    };
}

/// The name and text of each recipe. Recipes that need other files beside them are left out.
pub(super) const RECIPES: &[(&str, &str)] = shipped![
    "androids",
    "coarse-to-fine",
    "cthulhu",
    "land-and-sky",
    "malazan",
    "malazan-and-rings",
    "malazan-company",
    "malazan-landscape",
    "malazan-landscape-pure",
    "malazan-perspective",
    "malazan-rotation",
    "malazan-zoom",
    "poster",
    "sea-at-sunset",
    "seven-prompts",
    "seven-prompts-slanted",
    "three-lines",
    "volcano",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_that_stands_alone_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let alone = !["image = ", "extends", "direction = "].iter().any(|file| text.contains(file));
            assert_eq!(RECIPES.iter().any(|(shipped, _)| *shipped == name), alone, "{name}");
        }
    }
}
