//! Any text as an expression: it can be evaluated at every moment and is printed as what it is, or a place in it is wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;
use recipe_render::plan::Time;
use recipe_render::recipe::expression;

fuzz_target!(|text: &str| {
    match expression::parse(text) {
        Ok(expr) => {
            for index in [0, 1, 49, 99] {
                expr.at(&Time::new(index, 100, 50, 200));
            }
            let printed = expr.to_string();
            if printed.len() <= expression::LONGEST
                && let Ok(again) = expression::parse(&printed)
            {
                assert_eq!(again, expr);
            }
        }
        Err(problem) => assert!(text.get(problem.span).is_some()),
    }
});
