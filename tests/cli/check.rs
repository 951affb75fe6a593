//! `check --format json`.

use serde_json::{Value, json};

use crate::bench::{Bench, Ran, SMALL};

fn findings(ran: &Ran) -> Vec<Value> {
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn sound_recipes_have_no_findings() {
    let bench = Bench::small();
    let ran = bench.done(&["check", "small.toml", "--format", "json"]);
    assert_eq!((findings(&ran), ran.err), (vec![], String::new()));
}

#[test]
fn every_finding_names_its_place() {
    let bench = Bench::small();
    let text = "title = 'é'\n[[detail]]\nprompts = ['x']\n[[phase]]\nstepz = 100\nrate = '0.05 * tt'\n";
    bench.write("wrong.toml", text);
    let ran = bench.run(&["check", "small.toml", "wrong.toml", "missing.toml", "--format", "json"]).ended(2);
    assert_eq!(ran.err, "");
    let findings = findings(&ran);
    assert_eq!(findings.len(), 3, "{findings:#?}");
    let at = text.find("stepz").unwrap();
    let first = &findings[0];
    let expected = json!({
        "file": "wrong.toml", "severity": "error", "line": 5, "column": 1, "end_line": 5, "end_column": 6, "span": [at, at + 5],
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&first[key], value, "{key}");
    }
    assert!(first["hint"].as_str().unwrap().contains("steps"));
    let [start, end] = [0, 1].map(|end| findings[1]["span"][end].as_u64().unwrap() as usize);
    assert_eq!(&text[start..end], "tt");
    assert_eq!((&findings[2]["file"], &findings[2]["line"]), (&json!("missing.toml"), &Value::Null));
    // The same as people are told.
    bench.run(&["check", "wrong.toml"]).ended(2).says("wrong.toml:5:1").says("wrong.toml:6:");
}

#[test]
fn what_the_model_says_is_found_too() {
    let bench = Bench::new();
    bench.write("words.toml", SMALL.replace("\"castle\"", "\"castle 野兎\""));
    bench.write("none.toml", SMALL.replace("\"castle\"", "\"野兎\""));
    bench.write("model.toml", format!("model = \"no-such-model\"\n{SMALL}"));
    let ran = bench.done(&["check", "words.toml", "--format", "json"]);
    let [warning] = &findings(&ran)[..] else { panic!("{}", ran.out) };
    assert_eq!((&warning["severity"], &warning["line"]), (&json!("warning"), &json!(7)));
    for (name, line) in [("none.toml", 7), ("model.toml", 1)] {
        let ran = bench.run(&["check", name, "--format", "json"]).ended(2);
        let [error] = &findings(&ran)[..] else { panic!("{}", ran.out) };
        assert_eq!((&error["severity"], &error["line"]), (&json!("error"), &json!(line)));
    }
    bench.run(&["check", "words.toml", "--format", "xml"]).ended(2).says("json");
}

#[test]
fn findings_of_all_files_name_their_own_places() {
    let bench = Bench::new();
    bench.write("lib/base.toml", "titel = 'x'\n[[detail]]\nprompts = ['x']\n");
    bench.write("a.toml", "extends = 'lib/base.toml'\nsede = 3\n");
    let ran = bench.run(&["check", "a.toml", "--format", "json", "--set", "detail.0.wieght=0.5"]).ended(2);
    let found: Vec<(String, u64, u64)> = findings(&ran)
        .iter()
        .map(|finding| {
            let number = |key: &str| finding[key].as_u64().unwrap();
            (finding["file"].as_str().unwrap().to_owned(), number("line"), number("column"))
        })
        .collect();
    let expected = [("a.toml", 2, 1), ("lib/base.toml", 1, 1), ("--set detail.0.wieght=0.5", 1, 10)];
    assert_eq!(found, expected.map(|(file, line, column)| (file.to_owned(), line, column)));
    let shown = bench.run(&["check", "a.toml", "--set", "detail.0.wieght=0.5"]).ended(2);
    let shown = shown.says("a.toml:2:1").says("lib/base.toml:1:1").says("1 | detail.0.wieght=0.5\n  |          ^^^^^^");
    assert!(shown.err.contains("did you mean `weight`?"), "{}", shown.err);
}

#[test]
fn settings_are_checked_like_the_file() {
    let bench = Bench::small();
    for command in [&["small.toml"][..], &["check", "small.toml"], &["plan", "small.toml"]] {
        bench.run(&[command, &["--set", "seed=x"]].concat()).ended(2).says("--set seed=x:1:6").says("a whole number");
        bench.run(&[command, &["--set", "seed"]].concat()).ended(2).says("PATH=VALUE");
    }
    let ran = bench.done(&["plan", "small.toml", "--set", "seed=77", "--set", "size=[96, 64]", "--json"]);
    let plan: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(ran.out.contains("77") && ran.out.contains("96"), "{plan}");
    assert_eq!(bench.names(), ["small.toml"]);
}

#[test]
fn windows_that_are_larger_than_the_canvas_with_this_model_are_told() {
    let bench = Bench::new().embedded();
    let recipe = |zoom: &str| {
        format!("size = [240, 160]\n[[detail]]\nprompts = ['sword', 'castle']\nstages = [{{ zoom = {zoom} }}]\n")
    };
    bench.write("a.toml", recipe("[0.2, 0.5]"));
    let ran = bench.done(&["check", "a.toml"]);
    ran.says("at a `zoom` of at most 0.5 model `pocket` sees 320 pixels").says("a.toml:3:12");
    bench.write("b.toml", recipe("[0.2, 1]"));
    assert_eq!(bench.done(&["check", "b.toml"]).err, "");
}

/// What other programs take for a sign is told at its place, with our key for it.
#[test]
fn prompts_of_other_programs_are_told() {
    let bench = Bench::new();
    let with = |prompt: &str| SMALL.replace("\"castle\"", &format!("\"{prompt}\""));
    let told = |text: &str| {
        bench.write("a.toml", text);
        findings(&bench.done(&["check", "a.toml", "--format", "json"]))
    };
    for (prompt, part, hint) in [
        ("castle:0.5 | sea:-1", ":0.5", "{ text = \"castle\", weight = 0.5 }"),
        ("(castle:1.4), sea", "(castle:1.4)", "weight = 1.4"),
        ("castle, [sea]", "[sea]", "weight"),
        ("sword::2", "::2", "weight = 2"),
        ("castle --no text", "--no", "weight = -0.3"),
        ("castle --ar 16:9", "--ar", "size = [1360, 768]"),
    ] {
        let text = with(prompt);
        let found = told(&text);
        let is_it = |finding: &&Value| {
            let span = [0, 1].map(|end| finding["span"][end].as_u64().unwrap() as usize);
            &text[span[0]..span[1]] == part && finding["hint"].as_str().unwrap_or_default().contains(hint)
        };
        let finding = found.iter().find(is_it).unwrap_or_else(|| panic!("{prompt}: {found:#?}"));
        assert_eq!((&finding["severity"], &finding["line"]), (&json!("warning"), &json!(7)));
    }
    for prompt in ["castle 16:9", "castle: book one", "castle: A New Hope", "castle (sea)"] {
        let found = told(&with(prompt));
        assert!(
            found.iter().all(|finding| !finding["message"].as_str().unwrap().contains("read as words")),
            "{found:#?}"
        );
    }
    // Prompts of the command line, too.
    bench.write("small.toml", SMALL);
    bench.done(&["check", "small.toml"]);
    let set = "detail.0.prompts.0=castle --neg";
    bench.done(&["plan", "small.toml", "--set", set]).says("--neg").says("negative weight");
    image::RgbImage::new(16, 16).save(bench.path("a.png")).unwrap();
    bench.done(&["score", "a.png", "castle::2"]).says("column 7").says("weight = 2");
}

/// Paths as shells and other systems write them: every door has the hint.
#[cfg(unix)]
#[test]
fn paths_of_elsewhere_are_told() {
    let bench = Bench::new();
    let check = |text: String| {
        bench.write("a.toml", text);
        bench.run(&["check", "a.toml"]).ended(2)
    };
    let with = |what: &str, path: &str| match what {
        "extends" => format!("extends = {path}\n{SMALL}"),
        "model" => format!("model = {path}\n{SMALL}"),
        "init" => format!("{SMALL}\n[canvas]\ninit = {{ image = {path} }}\n"),
        "prompt" => SMALL.replace("\"castle\"", &format!("{{ image = {path} }}")),
        "direction" => SMALL.replace("\"castle\"", &format!("{{ direction = {path}, weight = -0.1 }}")),
        _ => SMALL.replace("windows = 1", &format!("windows = 1\nregion = {{ mask = {path} }}")),
    };
    for what in ["extends", "model", "init", "prompt", "direction", "mask"] {
        check(with(what, "\"~/x.png\"")).says("`~` is not expanded");
        check(with(what, "'C:\\Users\\me\\x.png'")).says("Windows path");
        check(with(what, "\"C:\\textures\\new.png\"")).says("single quotes");
        check(with(what, "\"C:\\Users\\me\\x.png\"")).says("single quotes");
    }
    bench.run(&["check", "~/x.toml"]).ended(2).says("`~` is not expanded");
}
