//! Fair selection: prompts whose similarities lie on different scales all have their share.

use crate::bench::Bench;

/// One of these prompts is easier to draw than the other.
fn recipe(keys: &str) -> String {
    format!(
        "size = [96, 96]\nseed = 3\n[[detail]]\nprompts = ['dragon', 'castle']\n{keys}\n[[phase]]\nsteps = 8\nfinest = 12\n"
    )
}

/// What a prompt won, in per cent.
fn share(out: &str, prompt: &str) -> f64 {
    let line = out.lines().find(|line| line.starts_with(prompt)).unwrap_or_else(|| panic!("{out}"));
    let (_, share) = line.rsplit_once('(').unwrap();
    share.trim_end_matches("%)").parse().unwrap()
}

#[test]
fn both_prompts_win_windows_where_one_had_all() {
    let bench = Bench::new().embedded();
    for keys in ["places = 9", "places = 0", "places = 0\nselect = 'mix'\ntemperature = 0.005"] {
        bench.write("bare.toml", recipe(&format!("{keys}\ncalibration = 'none'")));
        let bare = bench.done(&["bare.toml"]).out;
        assert!(share(&bare, "dragon") > 90.0, "{keys}\n{bare}");
        bench.write("fair.toml", recipe(keys));
        let fair = bench.done(&["fair.toml"]).out;
        assert!(share(&fair, "dragon") > 10.0 && share(&fair, "castle") > 10.0, "{keys}\n{fair}");
    }
}

#[test]
fn prompts_with_pipelines_of_their_own_win_windows_too() {
    let bench = Bench::new().embedded();
    let several = |keys: &str| recipe(keys).replace("'castle'", "{ text = 'castle', stages = [{ cover = 0.4 }] }");
    bench.write("bare.toml", several("calibration = 'none'"));
    let bare = bench.done(&["bare.toml"]).out;
    assert!(share(&bare, "dragon") > 90.0, "{bare}");
    bench.write("fair.toml", several(""));
    let fair = bench.done(&["fair.toml"]).out;
    assert!(share(&fair, "dragon") > 10.0 && share(&fair, "castle") > 10.0, "{fair}");
}

#[test]
fn with_one_prompt_calibration_changes_nothing() {
    let bench = Bench::new();
    let one = |calibration: &str| {
        let text = recipe(&format!("calibration = '{calibration}'")).replace(", 'castle'", "");
        bench.write("one.toml", text);
        bench.done(&["one.toml"]);
        crate::bench::pixels(&bench.path("one.png"))
    };
    let bare = one("none");
    assert!(bare == one("past") && bare == one("start"));
}
