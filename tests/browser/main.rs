//! The live page in a real browser: Chromium without a window, driven over the DevTools protocol.
//!
//! Where there is no Chromium (`chromium`, `chromium-browser` or `google-chrome` on PATH, or `$CHROMIUM`) the tests say so and
//! pass; with `$RECIPE_RENDER_NO_SKIPS` they fail. Pictures of the page are left in `$RECIPE_RENDER_SHOTS`, if that
//! names a folder.

mod chromium;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/skip.rs"]
mod skip;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use chromium::Chromium;

/// A recipe that renders for as long as it is let, with a mistake waiting to be made.
const RECIPE: &str = r#"
title = "Two things"
size = [128, 96]
seed = 4

[[composition]]
prompts = ["ocean waves"]
windows = 2

[[detail]]
prompts = ["sword", "castle", { text = "letters", weight = -0.3 }]
windows = 6

[[phase]]
name = "compose"
steps = 100000

[[phase]]
name = "detail"
steps = 200000
"#;

/// The three sizes that the page is made for: a screen, a tablet, a phone.
const SIZES: [(u32, u32); 3] = [(1440, 900), (820, 1180), (390, 844)];

struct Program {
    folder: tempfile::TempDir,
    child: Child,
    link: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("two.toml"), RECIPE).unwrap();
        let (child, link) = Program::spawn(folder.path(), arguments);
        Program { folder, child, link }
    }

    fn spawn(folder: &std::path::Path, arguments: &[&str]) -> (Child, String) {
        let mut command = program::program();
        command.current_dir(folder).args(["two.toml", "-q", "--serve"]).args(arguments);
        command.env("RECIPE_RENDER_STORE", folder.join("store"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        (child, line.strip_prefix("live page: ").unwrap().to_owned())
    }

    fn write(&self, text: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.folder.path().join("two.toml")).unwrap();
    }

    /// Ended abruptly, and started again at the same address.
    fn again(&mut self, arguments: &[&str]) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let (child, link) = Program::spawn(self.folder.path(), arguments);
        assert_eq!(link, self.link);
        self.child = child;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// JavaScript that says how many colours a canvas shows.
fn colours(id: &str) -> String {
    format!(
        "(() => {{ const c = document.getElementById('{id}'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const s = new Set(); for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; }})()"
    )
}

const STEP: &str = "Number(document.getElementById('figure-step').textContent.split(' ')[0].replaceAll(',', ''))";

#[test]
fn the_page_shows_a_render_and_steers_it() {
    let Some(mut browser) = Chromium::start() else { return };
    let mut program = Program::start(&["--watch"]);
    browser.size(1440, 900, true);
    browser.open(&program.link);
    browser.until("the render runs", "document.getElementById('activity').textContent === 'running'");
    browser.until("there is a picture", &format!("{} > 500", colours("canvas")));
    browser.until("there are curves", &format!("{} > 20", colours("chart")));
    browser.until("there are views", "document.querySelectorAll('#strip figure').length === 8");
    browser.until("the tally counts", "document.querySelectorAll('.prompt .won')[1].textContent.includes('%')");
    assert_eq!(browser.text("document.title"), "Two things · recipe-render");
    assert_eq!(browser.text("document.querySelectorAll('.phase').length"), "2");

    // A pause holds, a step is one step, and it goes on.
    browser.run("document.getElementById('pause').click()");
    browser.until("it is paused", "document.getElementById('activity').textContent === 'paused'");
    let before: u64 = browser.text(STEP).parse().unwrap();
    browser.key("n");
    browser.until("one step is done", &format!("{STEP} === {}", before + 1));
    browser.run("document.getElementById('save').click()");
    let name = format!("two-{:06}.png", before + 1);
    browser.until(
        "the picture's name is told",
        &format!("document.getElementById('notices').textContent.includes('{name}')"),
    );
    assert!(program.folder.path().join(&name).exists());
    for (width, height) in SIZES {
        for dark in [true, false] {
            browser.size(width, height, dark);
            let name = format!("{width}-{}", if dark { "dark" } else { "light" });
            browser.until("nothing reaches beyond the screen", "document.documentElement.scrollWidth <= innerWidth");
            browser.until("buttons do not overlap", OVERLAPS);
            browser.shot(&name);
        }
    }
    browser.size(1440, 900, true);
    browser.key(" ");
    browser.until("it goes on", &format!("{STEP} > {}", before + 2));

    // Zoom, and back.
    browser.key("1");
    browser.until("a pixel is a pixel", "document.getElementById('zoom-level').textContent === '100 %'");
    browser.key("0");
    browser.until("it fits", "document.getElementById('zoom-level').textContent === 'fit'");

    // A mistake is shown at its line, and goes with it.
    program.write(&RECIPE.replace("prompts = [\"ocean waves\"]", "promts = [\"ocean waves\"]"));
    browser.until("the mistake is marked", "document.querySelector('.mark')?.textContent === 'promts'");
    assert!(browser.text("document.querySelector('.row.error + .finding').textContent").contains("prompts"));
    browser.shot("mistake");
    program.write(&RECIPE.replace("seed = 4", "seed = 5"));
    browser.until("the mistake is gone", "!document.querySelector('.mark')");

    // The page finds the program again: it loads itself anew, and what the old one said of the old program is gone.
    browser.run("window.old = true");
    program.again(&["--watch"]);
    browser
        .until("the new program runs", "!window.old && document.getElementById('activity')?.textContent === 'running'");
    browser.run("document.getElementById('pause').click()");
    browser.until("it is paused", "document.getElementById('activity').textContent === 'paused'");
    assert_eq!(browser.troubles(), Vec::<String>::new());
}

/// Whether no two buttons in sight lie over each other.
const OVERLAPS: &str = "(() => { const r = [...document.querySelectorAll('.controls button, .tabs button')]
    .map(b => b.getBoundingClientRect()).filter(r => r.width && r.top < innerHeight);
    return r.every((a, i) => r.every((b, j) => i >= j || a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1))
        && r.every(a => a.left >= 0 && a.right <= innerWidth); })()";
