//! The server's routes. A request's path is compared with their names and used for nothing else.

use std::time::Duration;

use super::guard::{Guard, Refused};
use super::request::Request;
use super::response::Response;
use super::token::Token;
use crate::preview::hub::{Hub, Kind, Wish};
use crate::preview::page;

/// The maximum wait of a request for a picture; the page asks again when it hears of a step. Browsers keep only a few connections to one
/// address.
const PATIENCE: Duration = Duration::from_secs(3);

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Answer {
    Whole(Response),
    /// A picture of the canvas with this number.
    Picture(Response, u64),
    /// Events from now on.
    Events,
}

/// Answers a request.
pub(super) fn answer(request: &Request, guard: &Guard, hub: &Hub) -> Answer {
    let method = request.method.as_str();
    let wish = match request.path.as_str() {
        "/pause" => Wish::Pause,
        "/step" => Wish::Step,
        "/resume" => Wish::Resume,
        "/save" => Wish::Save,
        "/" | "/events" | "/frame" | "/views" | "/saved" => {
            return match guard.may_see(request) {
                Err(refused) => Answer::Whole(refuse(refused)),
                Ok(()) if method != "GET" => Answer::Whole(only("GET")),
                Ok(()) => see(request, guard, hub),
            };
        }
        _ => return Answer::Whole(Response::status(404, "there is nothing here")),
    };
    Answer::Whole(match guard.may_steer(request) {
        _ if method != "POST" => only("POST"),
        Err(refused) => refuse(refused),
        Ok(()) => match hub.wish(wish) {
            Ok(()) => Response::status(202, "so be it"),
            Err(unheard) => Response::status(409, &unheard.to_string()),
        },
    })
}

fn refuse(refused: Refused) -> Response {
    Response::status(403, refused.message())
}

fn only(method: &'static str) -> Response {
    Response::status(405, "method not allowed").with("Allow", method)
}

fn see(request: &Request, guard: &Guard, hub: &Hub) -> Answer {
    let after = request.asked("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    match request.path.as_str() {
        "/" => Answer::Whole(document(guard)),
        "/events" => Answer::Events,
        "/saved" => Answer::Whole(saved(hub)),
        path => {
            let kind = if path == "/frame" { Kind::Canvas } else { Kind::Views };
            let Some(picture) = hub.picture(kind, after, PATIENCE) else {
                return Answer::Whole(Response::status(204, ""));
            };
            let response = Response::of("image/jpeg", picture.jpeg.clone())
                .with("Picture-Number", picture.number.to_string())
                .with("Picture-Facts", picture.facts.clone());
            match kind {
                Kind::Canvas => Answer::Picture(response, picture.number),
                Kind::Views => Answer::Whole(response),
            }
        }
    }
}

fn document(guard: &Guard) -> Response {
    match Token::new() {
        // Any random text will do as a nonce.
        Ok(nonce) => {
            let document = page::document(nonce.reveal(), guard.token.reveal(), &guard.token.name());
            let response = Response::of("text/html; charset=utf-8", document);
            response.with("Content-Security-Policy", page::policy(nonce.reveal()))
        }
        Err(error) => Response::status(503, &format!("no random numbers: {error}")),
    }
}

/// Returns the last saved picture as a download. The program wrote it itself and knows its path.
fn saved(hub: &Hub) -> Response {
    let missing = || Response::status(404, "no picture has been saved");
    let Some(path) = hub.last_saved() else { return missing() };
    match std::fs::read(&path) {
        Ok(bytes) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Response::of("image/png", bytes).with("Content-Disposition", attachment(&name))
        }
        Err(_) => missing(),
    }
}

/// Returns the value of `Content-Disposition` (RFC 6266) for a file's name.
fn attachment(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let encoded: String = name
        .bytes()
        .map(|byte| if plain(byte.into()) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::super::guard::TOKEN;
    use super::*;
    use crate::preview::Activity;

    fn guard() -> Guard {
        super::super::test_guard()
    }

    fn status(answer: Answer) -> u16 {
        match answer {
            Answer::Whole(response) | Answer::Picture(response, _) => response.status,
            Answer::Events => 200,
        }
    }

    #[test]
    fn only_the_routes_there_are() {
        let (guard, hub) = (guard(), Hub::new());
        let ask = |first: &str| {
            status(answer(&Request::of(&format!("{first} HTTP/1.1\nHost: localhost:8080")), &guard, &hub))
        };
        assert_eq!((ask("GET /"), ask("GET /events"), ask("GET /saved")), (200, 200, 404));
        assert_eq!((ask("POST /"), ask("PUT /frame"), ask("GET /pause"), ask("HEAD /")), (405, 405, 405, 405));
        for path in [
            "/index.html",
            "/../Cargo.toml",
            "/saved/../../etc/passwd",
            "//",
            "/events/",
            "/%65vents",
            "*",
            "/favicon.ico",
        ] {
            assert_eq!(ask(&format!("GET {path}")), 404, "{path}");
        }
        assert_eq!(ask("POST /pause"), 403);
    }

    #[test]
    fn wishes_need_a_render() {
        let (guard, hub) = (guard(), Hub::new());
        let ask = |path: &str| {
            let head = format!(
                "POST {path} HTTP/1.1\nHost: localhost:8080\nOrigin: http://localhost:8080\n{TOKEN}: {}",
                guard.token.reveal()
            );
            status(answer(&Request::of(&head), &guard, &hub))
        };
        assert_eq!(ask("/pause"), 409);
        hub.activity(Activity::Running);
        assert_eq!(
            (ask("/pause"), ask("/step"), ask("/resume"), ask("/save"), ask("/stop")),
            (202, 202, 202, 202, 404)
        );
    }

    #[test]
    fn names_cannot_break_out_of_a_header() {
        assert_eq!(
            attachment("a b\"\r\nß.png"),
            "attachment; filename=\"a_b____.png\"; filename*=UTF-8''a%20b%22%0D%0A%C3%9F.png"
        );
    }
}
