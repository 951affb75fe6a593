//! Detects which protocol a terminal understands from its environment variables.

use super::{Colours, Protocol};

/// Returns the best protocol of the terminal that `environment` (a variable's name to its value) describes. Inside a multiplexer this is
/// half blocks, because multiplexers do not pass the other protocols on by default.
pub fn detect(environment: impl Fn(&str) -> Option<String>) -> Protocol {
    let get = |name: &str| environment(name).filter(|value| !value.is_empty());
    let is = |name: &str, values: &[&str]| get(name).is_some_and(|value| values.contains(&value.as_str()));
    let term = get("TERM").unwrap_or_default();
    let blocks = Protocol::Blocks(colours(&term, get("COLORTERM").as_deref()));
    if get("TMUX").is_some() || get("ZELLIJ").is_some() || ["screen", "tmux"].iter().any(|name| term.starts_with(name))
    {
        return blocks;
    }
    let kitty = get("KITTY_WINDOW_ID").is_some() || term == "xterm-kitty" || term == "xterm-ghostty";
    if kitty || get("GHOSTTY_RESOURCES_DIR").is_some() || is("TERM_PROGRAM", &["ghostty"]) {
        return Protocol::Kitty;
    }
    let iterm = is("TERM_PROGRAM", &["iTerm.app", "WezTerm", "mintty", "rio"]) || is("LC_TERMINAL", &["iTerm2"]);
    if iterm || get("WEZTERM_PANE").is_some() {
        return Protocol::Iterm;
    }
    // Konsole supported kitty's protocol before sixels, and both since 22.04.
    let konsole = get("KONSOLE_VERSION").and_then(|version| version.parse().ok()).is_some_and(|v: u32| v >= 220_400);
    let sixel =
        ["foot", "mlterm", "contour", "yaft"].iter().any(|name| term.starts_with(name)) || term.contains("sixel");
    if konsole || sixel { Protocol::Sixel } else { blocks }
}

fn colours(term: &str, colorterm: Option<&str>) -> Colours {
    let direct = term.ends_with("-direct") || ["alacritty", "foot", "xterm-kitty"].contains(&term);
    match colorterm {
        Some("truecolor" | "24bit") => Colours::True,
        _ if direct => Colours::True,
        _ => Colours::Indexed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_known_by_what_they_say() {
        let blocks = Protocol::Blocks(Colours::Indexed);
        for (environment, protocol) in [
            (&[("TERM", "xterm-kitty")][..], Protocol::Kitty),
            (&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")], Protocol::Kitty),
            (&[("TERM_PROGRAM", "ghostty")], Protocol::Kitty),
            (&[("TERM_PROGRAM", "iTerm.app"), ("COLORTERM", "truecolor")], Protocol::Iterm),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], Protocol::Iterm),
            (&[("TERM", "foot")], Protocol::Sixel),
            (&[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "230804")], Protocol::Sixel),
            (&[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "200400")], blocks),
            (&[("TERM", "xterm-256color")], blocks),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Protocol::Blocks(Colours::True)),
            (&[("TERM", "alacritty")], Protocol::Blocks(Colours::True)),
            (&[("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")], blocks),
            (&[("TERM", "screen")], blocks),
            (&[("TERM", "xterm-kitty"), ("TMUX", "/run/t,1,0")], Protocol::Blocks(Colours::True)),
            (&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "")], blocks),
            (&[], blocks),
        ] {
            let get = |name: &str| environment.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
            assert_eq!(detect(get), protocol, "{environment:?}");
        }
    }
}
