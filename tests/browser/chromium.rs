//! Chromium over the DevTools protocol on a pipe: JSON, each message ended by a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Never waited for when all is well.
const DEADLINE: Duration = Duration::from_secs(120);

pub struct Chromium {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    calls: u64,
    /// What the page complained of.
    troubles: Vec<String>,
    _profile: tempfile::TempDir,
}

/// The browser's path.
fn found() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|path| path.is_file())
}

impl Chromium {
    /// None where there is no browser, which is said.
    pub fn start() -> Option<Self> {
        let Some(path) = found() else {
            super::skip::skipped("there is no Chromium on PATH, so the live page was not looked at");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        // The browser reads from handle 3 and writes to 4; a shell puts them where they belong.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 >/dev/null 2>&1"]).arg(path);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]);
        command.args(["--remote-debugging-pipe", "--hide-scrollbars"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser =
            Chromium { child, to, from, session: None, calls: 0, troubles: Vec::new(), _profile: profile };
        let targets = browser.call("Target.getTargets", json!({}));
        let page = targets["targetInfos"].as_array().unwrap().iter().find(|target| target["type"] == "page").unwrap();
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": page["targetId"], "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.ask(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The browser's answer, or its error.
    fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).unwrap();
            bytes.pop().expect("the browser has ended");
            let mut message: Value = serde_json::from_slice(&bytes).unwrap();
            if message["id"] == self.calls {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].take()),
                };
            }
            self.note(&message);
        }
    }

    /// Keeps errors that the page reports; that a program has gone away is none of them.
    fn note(&mut self, message: &Value) {
        let parameters = &message["params"];
        let lost = parameters["entry"]["source"] == "network";
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.troubles.push(parameters.to_string()),
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" && !lost => {
                self.troubles.push(parameters.to_string());
            }
            Some("Runtime.consoleAPICalled") if parameters["type"] == "error" => {
                self.troubles.push(parameters.to_string());
            }
            _ => {}
        }
    }

    /// The screen's size, and whether it is dark.
    pub fn size(&mut self, width: u32, height: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    pub fn open(&mut self, link: &str) {
        self.call("Page.navigate", json!({ "url": link }));
    }

    /// An expression's value.
    pub fn run(&mut self, expression: &str) -> Value {
        self.evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn evaluate(&mut self, expression: &str) -> Result<Value, Value> {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true });
        Ok(self.ask("Runtime.evaluate", asked)?["result"]["value"].take())
    }

    /// An expression's value as text.
    pub fn text(&mut self, expression: &str) -> String {
        match self.run(expression) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Waits until an expression is true. A page that is loaded anew while it is asked has not answered.
    #[track_caller]
    pub fn until(&mut self, what: &str, expression: &str) {
        let deadline = Instant::now() + DEADLINE;
        let leaves = |error: &Value| error["message"].as_str().is_some_and(|message| message.contains("navigated"));
        loop {
            match self.evaluate(expression) {
                Ok(value) if value == true => return,
                Err(error) if !leaves(&error) => panic!("{expression}: {error}"),
                _ => {}
            }
            if Instant::now() > deadline {
                self.shot("failed");
                panic!("it never came that {what}; {}; {:?}", self.text("document.body.innerText"), self.troubles);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses a key that writes one character.
    pub fn key(&mut self, key: &str) {
        self.run("document.activeElement.blur()");
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", json!({ "type": kind, "key": key, "text": key }));
        }
    }

    /// Leaves a picture of the page, if pictures are wanted.
    pub fn shot(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("RECIPE_RENDER_SHOTS") else { return };
        // What is drawn follows what was asked for.
        std::thread::sleep(Duration::from_millis(500));
        let data = self.call("Page.captureScreenshot", json!({ "format": "jpeg", "quality": 85 }));
        let bytes = decoded(data["data"].as_str().unwrap());
        std::fs::write(PathBuf::from(folder).join(format!("{name}.jpg")), bytes).unwrap();
    }

    /// What the page has complained of.
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Base64 (RFC 4648, section 4).
fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(value).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().enumerate().fold(0u32, |bits, (i, digit)| bits | u32::from(*digit) << (18 - 6 * i));
        bits.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
