//! The page: one document with its style and script inside. It loads nothing else from anywhere.
//!
//! | file | what |
//! | --- | --- |
//! | `page.html` | the document |
//! | `style.css` | its looks, light and dark, from phones to large screens |
//! | `basics.js` | what the other scripts share: elements, numbers, colours, memory |
//! | `stage.js` | the picture: zoom, pan, the windows on it |
//! | `strip.js` | the encoder's input |
//! | `curves.js` | similarities over time |
//! | `prompts.js` | the prompts with their tally, which is also the curves' legend |
//! | `timeline.js` | phases, position, speed |
//! | `recipe.js` | the recipe's text with its errors and warnings |
//! | `controls.js` | buttons, keys, notices |
//! | `connection.js` | events in, pictures in, wishes out |

const DOCUMENT: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// A single script, so the parts share their names with each other and nothing else does.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("basics.js"),
    include_str!("stage.js"),
    include_str!("strip.js"),
    include_str!("curves.js"),
    include_str!("prompts.js"),
    include_str!("timeline.js"),
    include_str!("recipe.js"),
    include_str!("controls.js"),
    include_str!("connection.js"),
    "})();\n"
);

/// Returns the `Content-Security-Policy` of the page. `nonce` is random text for a single answer; without it no script runs, whatever
/// gets into the document.
pub(super) fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' blob: data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Returns the page for a reader who may have the token. `instance` identifies the process.
pub(super) fn document(nonce: &str, token: &str, instance: &str) -> String {
    DOCUMENT
        .replace("{nonce}", nonce)
        .replace("{token}", token)
        .replace("{instance}", instance)
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{style}", STYLE)
        .replace("{script}", SCRIPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_anywhere() {
        let page = document("0123", "4567", "89ab");
        assert!(
            page.contains("content=\"4567\"") && page.contains("content=\"89ab\"") && page.contains("nonce=\"0123\"")
        );
        for placeholder in ["{nonce}", "{token}", "{instance}", "{version}", "{style}", "{script}"] {
            assert!(!page.contains(placeholder), "{placeholder}");
        }
        // The page contains no external address, except the namespace of SVG, which is only a name and never fetched.
        for (at, _) in page.match_indices("//") {
            let rest = &page[at..];
            let before = page[..at].chars().next_back().unwrap();
            assert!(
                before != ':' && before != '"' || rest.starts_with("//www.w3.org/2000/svg"),
                "{}",
                &rest[..40.min(rest.len())]
            );
        }
        assert!(!page.contains("src=\"http") && !page.contains("@import") && !STYLE.contains("url("));
        // Nothing is inserted into the document as markup, so no text of a recipe can become markup.
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
