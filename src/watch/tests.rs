use std::fs;
use std::time::{Duration, Instant};

use super::*;

/// Long enough for a machine under load. A passing test never waits this long.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Means = Means::Poll(Duration::from_millis(20));

struct Scene {
    folder: tempfile::TempDir,
    watch: Watch,
}

mod paths;

fn scene(text: &str) -> Scene {
    scene_by(Means::Events, text)
}

fn scene_by(means: Means, text: &str) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("a.toml");
    fs::write(&recipe, text).unwrap();
    let mut watch = Watch::new(means).unwrap();
    assert_eq!(watch.recipe(&recipe).unwrap().recipe, text.as_bytes());
    Scene { folder, watch }
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn news(&self) -> News {
        self.watch.news.recv_timeout(DEADLINE).expect("there was no news")
    }

    /// Waits until a text of `a.toml` arrives. Intermediate states (an empty file after truncation, a missing file) may be seen first.
    fn expect(&self, text: &str) -> (Version, Vec<PathBuf>) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "{text:?} never came");
            if let News::Saved { recipe, version, files } = self.news()
                && recipe == self.path("a.toml")
                && version.recipe == text.as_bytes()
            {
                return (version, files);
            }
        }
    }

    /// Checks that nothing has arrived before a change made now.
    fn expect_nothing_before(&self, text: &str) {
        fs::write(self.path("a.toml"), text).unwrap();
        let first = self.news();
        let News::Saved { version, .. } = &first else { panic!("{first:?}") };
        assert!(version.recipe.is_empty() || version.recipe == text.as_bytes(), "{first:?}");
        if version.recipe.is_empty() {
            self.expect(text);
        }
    }
}

#[test]
fn every_way_to_save_is_noticed() {
    for means in [Means::Events, POLL] {
        let scene = scene_by(means, "0");
        let recipe = scene.path("a.toml");
        // In place, by truncate and write.
        fs::write(&recipe, "1").unwrap();
        assert_eq!(scene.expect("1").1, std::slice::from_ref(&recipe));
        // Written elsewhere, then renamed (sed -i, atomic saves).
        fs::write(scene.path(".a.toml.new"), "2").unwrap();
        fs::rename(scene.path(".a.toml.new"), &recipe).unwrap();
        scene.expect("2");
        // The old file moved away, a new one written (vim with a backup).
        fs::rename(&recipe, scene.path("a.toml~")).unwrap();
        fs::write(&recipe, "3").unwrap();
        scene.expect("3");
        // Deleted, and recreated later.
        fs::remove_file(&recipe).unwrap();
        fs::write(&recipe, "4").unwrap();
        scene.expect("4");
        // Appended.
        use std::io::Write;
        fs::File::options().append(true).open(&recipe).unwrap().write_all(b"5").unwrap();
        scene.expect("45");
    }
}

#[test]
fn what_changes_nothing_is_not_news() {
    for means in [Means::Events, POLL] {
        let scene = scene_by(means, "0");
        let recipe = scene.path("a.toml");
        fs::write(scene.path("new"), "0").unwrap();
        fs::rename(scene.path("new"), &recipe).unwrap();
        fs::File::options().write(true).open(&recipe).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
        fs::write(scene.path("b.toml"), "other").unwrap();
        fs::read(&recipe).unwrap();
        scene.expect_nothing_before("1");
    }
}

#[test]
fn files_the_recipe_needs_are_followed() {
    for means in [Means::Events, POLL] {
        let mut scene = scene_by(means, "0");
        fs::create_dir(scene.path("sub")).unwrap();
        let (recipe, needed) = (scene.path("a.toml"), scene.path("sub/needed.png"));
        fs::write(&needed, "a").unwrap();
        scene.watch.follow(&recipe, std::slice::from_ref(&needed)).unwrap();
        fs::write(scene.path("sub/new"), "b").unwrap();
        fs::rename(scene.path("sub/new"), &needed).unwrap();
        let (version, files) = scene.expect("0");
        assert_ne!(version, Version { recipe: b"0".to_vec(), files: 0 });
        assert_eq!(files, std::slice::from_ref(&needed));
        // No longer needed.
        scene.watch.follow(&recipe, &[]).unwrap();
        fs::write(&needed, "c").unwrap();
        scene.expect_nothing_before("1");
    }
}

#[test]
fn a_recipe_that_is_gone_and_back_is_told() {
    let scene = scene("0");
    let recipe = scene.path("a.toml");
    fs::remove_file(&recipe).unwrap();
    assert_eq!(scene.news(), News::Gone { recipe: recipe.clone() });
    fs::write(scene.path("new"), "0").unwrap();
    fs::rename(scene.path("new"), &recipe).unwrap();
    assert_eq!(scene.expect("0").1, Vec::<PathBuf>::new());
}

#[test]
fn recipes_of_a_folder_come_and_go() {
    for means in [Means::Events, POLL] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.toml", "a.toml", ".hidden.toml", "c.txt"] {
            fs::write(path(name), name).unwrap();
        }
        let mut watch = Watch::new(means).unwrap();
        watch.recipe(&path("b.toml")).unwrap();
        let found: Vec<PathBuf> = watch.folder(folder.path()).unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, [path("a.toml"), path("b.toml")]);
        let news = || watch.news.recv_timeout(DEADLINE).expect("there was no news");
        fs::write(path("new"), "c").unwrap();
        fs::rename(path("new"), path("c.toml")).unwrap();
        let version = Version { recipe: b"c".to_vec(), files: 0 };
        assert_eq!(news(), News::Saved { recipe: path("c.toml"), version, files: vec![path("c.toml")] });
        fs::remove_file(path("a.toml")).unwrap();
        assert_eq!(news(), News::Gone { recipe: path("a.toml") });
        // It is then reported as new; a recipe that was named explicitly is not.
        fs::rename(path("c.toml"), path("a.toml")).unwrap();
        let told = [news(), news()];
        assert!(told.contains(&News::Gone { recipe: path("c.toml") }), "{told:?}");
        let saved = |news: &News| matches!(news, News::Saved { recipe, .. } if *recipe == path("a.toml"));
        assert!(told.iter().any(saved), "{told:?}");
        fs::remove_file(path("b.toml")).unwrap();
        assert_eq!(news(), News::Gone { recipe: path("b.toml") });
        watch.ender().end();
        assert_eq!(watch.next(), None);
    }
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
    let mut watch = Watch::new(Means::Events).unwrap();
    watch.recipe(&link).unwrap();
    let scene = Scene { folder, watch };
    fs::write(&target, "1").unwrap();
    scene.expect("1");
}

#[test]
fn a_recipe_that_is_not_there_cannot_be_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(Means::Events).unwrap();
    assert!(matches!(watch.recipe(&folder.path().join("a.toml")), Err(WatchError::Unreadable { .. })));
}
