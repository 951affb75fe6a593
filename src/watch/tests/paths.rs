//! Tests that paths are followed, whatever is at them.

use super::*;
use crate::watch::follower::Follower;

/// Follows `name` in a scene's folder, which contains "0".
fn following(means: Means, name: &str) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let watch = Watch::new(means).unwrap();
    let mut scene = Scene { folder, watch };
    scene.save(name, "0");
    scene.watch.recipe(&scene.path(name)).unwrap();
    scene
}

impl Scene {
    /// Writes a file and creates missing folders.
    fn save(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Waits until `recipe` has this text.
    fn expect_of(&self, recipe: &str, text: &str) -> Vec<PathBuf> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "{text:?} never came");
            if let News::Saved { recipe: of, version, files } = self.news()
                && of == self.path(recipe)
            {
                assert_ne!(version.recipe, b"old");
                if version.recipe == text.as_bytes() {
                    return files;
                }
            }
        }
    }
}

#[test]
fn a_folder_that_is_replaced_is_followed_by_its_path() {
    for means in [Means::Events, POLL] {
        for (folder, recipe) in [("wd", "wd/a.toml"), ("top", "top/wd/deep/a.toml")] {
            let scene = following(means, recipe);
            let (new, old) = (format!("{folder}.new"), format!("{folder}.old"));
            for round in ["1", "2"] {
                scene.save(&recipe.replacen(folder, &new, 1), round);
                scene.rename(folder, &old);
                scene.rename(&new, folder);
                scene.expect_of(recipe, round);
                // A save in the new folder is reported, one in the old folder is not.
                fs::write(scene.path(&recipe.replacen(folder, &old, 1)), "old").unwrap();
                let later = format!("{round}, later");
                scene.save(recipe, &later);
                scene.expect_of(recipe, &later);
                fs::remove_dir_all(scene.path(&old)).unwrap();
            }
        }
    }
}

#[test]
fn a_folder_that_is_removed_and_made_anew_is_followed() {
    for means in [Means::Events, POLL] {
        let scene = following(means, "top/wd/a.toml");
        for text in ["1", "2"] {
            fs::remove_dir_all(scene.path("top")).unwrap();
            if text == "2" {
                // Missing for long enough to be noticed.
                assert!(matches!(scene.news(), News::Gone { .. }));
            }
            scene.save("top/wd/a.toml", text);
            scene.expect_of("top/wd/a.toml", text);
            let later = format!("{text}, later");
            scene.save("top/wd/a.toml", &later);
            scene.expect_of("top/wd/a.toml", &later);
        }
    }
}

#[test]
fn a_missing_file_is_noticed_in_a_folder_that_was_missing_too() {
    for means in [Means::Events, POLL] {
        let mut scene = following(means, "a.toml");
        let [base, mask] = ["parts/base.toml", "masks/of/sky.png"].map(|name| scene.path(name));
        // This path leads out of the folder and back.
        let name = scene.folder.path().file_name().unwrap().to_owned();
        let model = scene.path("..").join(name).join("back/model.toml");
        let files = [base, mask, model];
        scene.watch.follow(&scene.path("a.toml"), &files).unwrap();
        for file in &files {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            for text in ["here", "and edited"] {
                scene.save("fresh", text);
                fs::rename(scene.path("fresh"), file).unwrap();
                assert_eq!(scene.expect_of("a.toml", "0"), std::slice::from_ref(file));
            }
        }
        // A folder of needed files is replaced.
        scene.save("parts.new/base.toml", "another");
        scene.rename("parts", "parts.old");
        scene.rename("parts.new", "parts");
        assert_eq!(scene.expect_of("a.toml", "0"), std::slice::from_ref(&files[0]));
    }
}

#[test]
fn a_followed_folder_that_is_replaced_has_its_new_recipes() {
    for means in [Means::Events, POLL] {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Scene { folder, watch: Watch::new(means).unwrap() };
        scene.save("wd/a.toml", "a");
        scene.watch.folder(&scene.path("wd")).unwrap();
        scene.save("wd.new/b.toml", "b");
        scene.rename("wd", "wd.old");
        scene.rename("wd.new", "wd");
        assert!(scene.expect_of("wd/b.toml", "b").contains(&scene.path("wd/b.toml")));
        scene.save("wd/c.toml", "c");
        scene.expect_of("wd/c.toml", "c");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_the_path_that_is_pointed_elsewhere_is_followed() {
    use std::os::unix::fs::symlink;
    for means in [Means::Events, POLL] {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Scene { folder, watch: Watch::new(means).unwrap() };
        for release in ["1", "2"] {
            scene.save(&format!("{release}/sub/a.toml"), release);
        }
        symlink("1", scene.path("now")).unwrap();
        // A link to a link, one of them from the root.
        symlink(scene.path("now"), scene.path("chain")).unwrap();
        scene.watch.recipe(&scene.path("chain/sub/a.toml")).unwrap();
        let point = |at: &str| {
            symlink(at, scene.path("fresh")).unwrap();
            scene.rename("fresh", "now");
        };
        point("2");
        scene.expect_of("chain/sub/a.toml", "2");
        scene.save("2/sub/a.toml", "2, later");
        scene.expect_of("chain/sub/a.toml", "2, later");
        point("1");
        scene.expect_of("chain/sub/a.toml", "1");
    }
}

/// The system reports no events here, although it promised to.
#[test]
fn the_clock_notices_what_no_event_tells() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("wd/a.toml");
    fs::create_dir(folder.path().join("wd")).unwrap();
    fs::write(&recipe, "0").unwrap();
    let (messages, incoming) = channel();
    let (outgoing, news) = channel();
    let follower = Follower::new(Means::Events, Home::now(), None);
    std::thread::spawn(move || follower.run(&incoming, &outgoing));
    let version = Version { recipe: b"0".to_vec(), files: 0 };
    messages.send(Message::Recipe { recipe: recipe.clone(), version, found: false }).unwrap();
    // It may be missing for a moment.
    let heard = |text: &str| {
        let mut told = std::iter::repeat_with(|| news.recv_timeout(DEADLINE).unwrap());
        let saved = told.find(|told| matches!(told, News::Saved { .. }));
        assert!(matches!(&saved, Some(News::Saved { version, .. }) if version.recipe == text.as_bytes()), "{saved:?}");
    };
    fs::write(&recipe, "edited").unwrap();
    heard("edited");
    fs::create_dir(folder.path().join("new")).unwrap();
    fs::write(folder.path().join("new/a.toml"), "swapped").unwrap();
    fs::rename(folder.path().join("wd"), folder.path().join("old")).unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("wd")).unwrap();
    heard("swapped");
    messages.send(Message::End).unwrap();
    assert!(news.recv_timeout(DEADLINE).is_err());
}
