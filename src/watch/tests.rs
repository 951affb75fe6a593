use std::fs;
use std::time::{Duration, Instant};

use super::*;

/// Long enough for a machine under load; never waited for when all is well.
const DEADLINE: Duration = Duration::from_secs(60);

struct Scene {
    folder: tempfile::TempDir,
    watch: Watch,
}

fn scene(text: &str) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("a.toml");
    fs::write(&recipe, text).unwrap();
    let (watch, version) = Watch::new(&recipe, |path| path.ends_with("own.png")).unwrap();
    assert_eq!(version.recipe, text.as_bytes());
    Scene { folder, watch }
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until the recipe's text arrives. Versions in between (an empty file after truncation) may be seen.
    fn expect(&self, text: &str) -> Version {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let version = self.watch.versions.recv_timeout(left).unwrap_or_else(|_| panic!("{text:?} never came"));
            if version.recipe == text.as_bytes() {
                return version;
            }
        }
    }

    /// Nothing has arrived before a change that is made now.
    fn expect_nothing_before(&self, text: &str) -> Version {
        fs::write(self.path("a.toml"), text).unwrap();
        let first = self.watch.versions.recv_timeout(DEADLINE).unwrap();
        assert!(first.recipe.is_empty() || first.recipe == text.as_bytes(), "{first:?}");
        if first.recipe.is_empty() { self.expect(text) } else { first }
    }
}

#[test]
fn every_way_to_save_is_noticed() {
    let scene = scene("0");
    let recipe = scene.path("a.toml");
    // In place, by truncate and write.
    fs::write(&recipe, "1").unwrap();
    scene.expect("1");
    // Written elsewhere, then renamed (sed -i, atomic saves).
    fs::write(scene.path(".a.toml.new"), "2").unwrap();
    fs::rename(scene.path(".a.toml.new"), &recipe).unwrap();
    scene.expect("2");
    // The old one moved away, a new one written (vim with a backup).
    fs::rename(&recipe, scene.path("a.toml~")).unwrap();
    fs::write(&recipe, "3").unwrap();
    scene.expect("3");
    // Deleted, and back later.
    fs::remove_file(&recipe).unwrap();
    fs::write(&recipe, "4").unwrap();
    scene.expect("4");
    // Appended.
    use std::io::Write;
    fs::File::options().append(true).open(&recipe).unwrap().write_all(b"5").unwrap();
    scene.expect("45");
}

#[test]
fn what_changes_nothing_is_not_news() {
    let scene = scene("0");
    let recipe = scene.path("a.toml");
    fs::write(&recipe, "0").unwrap();
    fs::File::options().write(true).open(&recipe).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    fs::write(scene.path("b.toml"), "other").unwrap();
    fs::read(&recipe).unwrap();
    scene.expect_nothing_before("1");
}

#[test]
fn files_the_recipe_needs_are_followed_but_not_our_own() {
    let mut scene = scene("0");
    fs::create_dir(scene.path("sub")).unwrap();
    let (needed, own) = (scene.path("sub/needed.png"), scene.path("own.png"));
    fs::write(&needed, "a").unwrap();
    fs::write(&own, "a").unwrap();
    scene.watch.follow(&[needed.clone(), own.clone()]).unwrap();
    fs::write(&own, "b").unwrap();
    fs::write(&needed, "b").unwrap();
    let version = scene.expect("0");
    assert_ne!(version, Version { recipe: b"0".to_vec(), files: 0 });
    // No longer needed.
    scene.watch.follow(&[]).unwrap();
    fs::write(&needed, "c").unwrap();
    scene.expect_nothing_before("1");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("real.toml");
    fs::write(&target, "0").unwrap();
    let link = folder.path().join("a.toml");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let (watch, _) = Watch::new(&link, |_| false).unwrap();
    let scene = Scene { folder, watch };
    fs::write(&target, "1").unwrap();
    scene.expect("1");
}

#[test]
fn a_recipe_that_is_not_there_cannot_be_followed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Watch::new(&folder.path().join("a.toml"), |_| false), Err(WatchError::Unreadable { .. })));
}
