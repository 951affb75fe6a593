//! `models fetch`, from servers that behave and servers that do not.

mod sources;
mod trouble;

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::bench::{Bench, Ran, SMALL};
use crate::host::{Host, Reply, Request};
use crate::tiny;

/// What the tests' table knows: a small model, as if it were on a hub.
const FILES: [(&str, &str, &str); 3] = [
    ("image", "image.onnx", "onnx/model.onnx"),
    ("text", "text.onnx", "model.onnx"),
    ("tokenizer", "tokenizer.json", "tokenizer.json"),
];

const REVISION: &str = "0123456789012345678901234567890123456789";

/// The files' contents. The image encoder has a long comment, so that there is something to cut.
fn content(name: &str) -> Vec<u8> {
    const COMMENT: usize = 2_400_000;
    static FILES: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let mut files = tiny::files();
        let image = files.iter_mut().find(|(name, _)| *name == "image.onnx").unwrap();
        // A field of ONNX's outermost message, `doc_string`: its number, its length in groups of seven bits, its text.
        image.1.push(6 << 3 | 2);
        let mut length = COMMENT;
        while length >= 1 << 7 {
            image.1.push((length % (1 << 7)) as u8 | 1 << 7);
            length >>= 7;
        }
        image.1.push(length as u8);
        image.1.extend((0..COMMENT).map(|at| b'a' + (at % 25) as u8));
        files
    });
    files.iter().find(|(known, _)| *known == name).unwrap().1.clone()
}

/// How many megabytes there are to download, in words.
fn megabytes() -> String {
    format!("{:.1} MB", FILES.iter().map(|(_, name, _)| content(name).len()).sum::<usize>() as f64 / 1e6)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A table with one model, `tiny`; `change` may spoil a file's entry.
fn table(change: impl Fn(&str, String) -> String) -> String {
    let mut text = "[[model]]\nname = 'tiny'\nabout = 'for tests'\nlicence = 'MIT'\n[model.settings]\nsize = SIDE\n\
         mean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]\ncontext = 0\n"
        .replace("SIDE", &tiny::SIDE.to_string());
    for (role, name, path) in FILES {
        let bytes = content(name);
        let entry = format!(
            "[[model.file]]\nrole = '{role}'\nrepository = 'some/{role}'\nrevision = '{REVISION}'\npath = '{path}'\n\
             name = '{name}'\nbytes = {}\nsha256 = '{}'\n",
            bytes.len(),
            sha256(&bytes)
        );
        text += &change(role, entry);
    }
    text
}

/// Without the tokenizer's hash and length, and from a branch.
fn unpinned() -> String {
    table(|role, entry| {
        if role != "tokenizer" {
            return entry;
        }
        let kept = |line: &&str| !line.starts_with("bytes") && !line.starts_with("sha256");
        let lines: Vec<&str> = entry.lines().filter(kept).collect();
        lines.join("\n").replace(REVISION, "main") + "\n"
    })
}

fn bench() -> Bench {
    let bench = Bench::small();
    bench.write("table.toml", table(|_, entry| entry));
    bench
}

/// The program as it reaches servers of these tests alone.
fn program(bench: &Bench) -> Command {
    let mut program = bench.program();
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        program.env_remove(name).env_remove(name.to_uppercase());
    }
    program.env("XDG_DATA_HOME", bench.path("data")).env("RECIPE_RENDER_MODEL_TABLE", bench.path("table.toml"));
    program
}

/// Fetches from `url`, in the place of the hub.
fn fetch(bench: &Bench, url: &str, more: &[&str]) -> Ran {
    let mut program = program(bench);
    program.env("HF_ENDPOINT", url).args(["models", "fetch", "tiny", "--timeout", "0.5"]).args(more);
    program.output().unwrap().into()
}

/// The file that a path of the hub means.
fn asked(path: &str) -> Option<Vec<u8>> {
    let of = |(role, name, file): &(&str, &str, &str)| {
        let revisions = [REVISION, "main"];
        let hub = revisions.iter().any(|revision| path == format!("/some/{role}/resolve/{revision}/{file}"));
        hub.then(|| content(name))
    };
    FILES.iter().find_map(of)
}

fn good(request: &Request) -> Reply {
    match asked(&request.path) {
        Some(bytes) => Reply::file(&bytes, &format!("\"{}\"", bytes.len()), request),
        None => Reply::status(404),
    }
}

/// As `good`, but the first requests for the image encoder are answered by `first`.
fn at_first(times: usize, first: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static) -> Host {
    let count = AtomicUsize::new(0);
    Host::new(move |request| {
        let image = request.path.ends_with("onnx/model.onnx");
        if image && count.fetch_add(1, Ordering::SeqCst) < times {
            first(request, good(request))
        } else {
            good(request)
        }
    })
}

fn image_offsets(host: &Host) -> Vec<Option<usize>> {
    let image = |request: &&Request| request.path.ends_with("onnx/model.onnx");
    host.requests().iter().filter(image).map(Request::offset).collect()
}

/// The fetched model is there, whole and usable, and nothing else is left.
#[track_caller]
fn fetched(bench: &Bench) {
    // The graphs may have been rewritten; of which files they were made stands beside them.
    let description = String::from_utf8(bench.read("data/recipe-render/models/tiny/model.toml")).unwrap();
    for (_, name, _) in FILES {
        assert!(description.contains(&sha256(&content(name))), "{name}: {description}");
        assert!(bench.path(&format!("data/recipe-render/models/tiny/{name}")).is_file());
    }
    assert!(!bench.path("data/recipe-render/downloads/tiny").exists());
    let ran = Ran::from(program(bench).args(["models", "list"]).output().unwrap()).ended(0);
    assert!(ran.out.lines().any(|line| line.starts_with("tiny") && line.contains("for tests")), "{}", ran.out);
}

#[test]
fn a_model_is_fetched_once_and_renders() {
    let (bench, host) = (bench(), Host::new(good));
    fetch(&bench, &host.url(), &[]).ended(0).says("tiny: ready, in ").says("licence: MIT");
    fetched(&bench);
    let requests = host.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.method == "GET" && request.header("authorization").is_none()));
    assert!(requests[0].header("user-agent").unwrap().starts_with("recipe-render/"));
    bench.write("small.toml", SMALL.replace("seed = 4", "seed = 4\nmodel = 'tiny'"));
    Ran::from(program(&bench).args(["small.toml"]).output().unwrap()).ended(0);
    fetch(&bench, &host.url(), &[]).ended(0).says("already there");
    assert_eq!(host.requests().len(), 3);
    bench.write("data/recipe-render/models/tiny/model.toml", "damaged");
    fetch(&bench, &host.url(), &["--force", "-q"]).ended(0);
    fetched(&bench);
    assert_eq!(host.requests().len(), 6);
}

#[test]
fn what_can_be_fetched_is_listed() {
    let (bench, host) = (bench(), Host::new(good));
    let list =
        |arguments: &[&str]| Ran::from(program(&bench).args(["models", "fetch"]).args(arguments).output().unwrap());
    let ran = list(&[]).ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[0].starts_with("tiny ") && lines[0].contains(&megabytes()) && lines[0].contains("for tests"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("clip-vit-b32") && ran.out.contains("608.0 MB") && ran.out.contains("about 607.2 MB"));
    let here = |bench: &Ran| -> serde_json::Value {
        let all: serde_json::Value = serde_json::from_str(&bench.out).unwrap();
        all[0]["here"].clone()
    };
    assert_eq!(here(&list(&["--json"]).ended(0)), false);
    let ran = fetch(&bench, &host.url(), &["--json", "--keep-downloads"]).ended(0);
    let result: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&result["name"], &result["status"]), (&"tiny".into(), &"fetched".into()));
    assert_eq!(here(&list(&["--json"]).ended(0)), true);
    assert!(list(&[]).out.lines().next().unwrap().contains("  here  "));
    list(&["tyny"]).ended(2).says("did you mean `tiny`?");
    list(&["--force"]).ended(2).says("NAME");
    list(&["tiny", "--timeout", "0"]).ended(2).says("--timeout");
}

#[test]
fn two_at_once_fetch_it_once() {
    let (bench, host) = (bench(), Host::new(good));
    let start = || {
        let mut program = program(&bench);
        program.env("HF_ENDPOINT", host.url()).args(["models", "fetch", "tiny"]);
        program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..3).map(|_| start()).collect();
    let mut ready = 0;
    for child in children {
        let ran = Ran::from(child.wait_with_output().unwrap()).ended(0);
        ready += usize::from(ran.err.contains("tiny: ready"));
    }
    assert_eq!(ready, 1);
    assert_eq!(host.requests().len(), 3);
    fetched(&bench);
}

#[test]
fn tables_and_folders_that_cannot_be_used_are_told() {
    let (bench, host) = (bench(), Host::new(good));
    bench.write("table.toml", "[[model]]\nname = '../tiny'\n");
    fetch(&bench, &host.url(), &[]).ended(2).says("table.toml: model `../tiny`");
    std::fs::remove_file(bench.path("table.toml")).unwrap();
    fetch(&bench, &host.url(), &[]).ended(2).says("RECIPE_RENDER_MODEL_TABLE");
    bench.write("table.toml", table(|_, entry| entry));
    bench.write("data/recipe-render", "a file where the folder should be");
    fetch(&bench, &host.url(), &[]).ended(1).says("recipe-render").says("XDG_DATA_HOME");
}
