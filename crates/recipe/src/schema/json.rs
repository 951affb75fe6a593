//! The JSON schema of recipes, made from the table of keys. Editors use it for completion and checks.
//!
//! It is draft 7, which every TOML plug-in of an editor understands. In draft 7 nothing may stand beside a `$ref`, hence the `allOf`
//! around it.

use serde_json::{Map, Value, json};

use crate::keys;
use crate::keys::defaults;
use crate::keys::{BESIDE_STAGES, Bounds, KEYFRAMES, Key, Kind, RECIPE, SIDES, STAGE, Single, Table, Variant, With};
use crate::read::expression::LONGEST;
use crate::read::models::MOST_MODELS;
use crate::sources::merge::INHERITED;

/// Returns the schema.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    for spec in keys::ALL.iter().filter(|spec| ![RECIPE.name, KEYFRAMES.name].contains(&spec.name)) {
        definitions.insert(spec.name.into(), table(spec));
    }
    definitions.insert(
        "pipeline".into(),
        json!({
            "description": "Stages in order; the first entry may be the name of a pipeline to begin with.",
            "type": "array",
            "items": [{ "anyOf": [text(), reference("stage")] }],
            "additionalItems": { "anyOf": [inherited(), reference("stage")] },
        }),
    );
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "recipe-render recipe",
    });
    merge(&mut schema, table(&RECIPE));
    // A recipe that builds on another need not be complete.
    schema["anyOf"] = json!([{ "required": ["composition"] }, { "required": ["detail"] }, { "required": ["extends"] }]);
    schema["definitions"] = Value::Object(definitions);
    schema
}

/// Returns the schema as the text of its file.
pub fn schema_text() -> String {
    // A value made of strings and numbers always serialises.
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

fn merge(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn text() -> Value {
    // Not blank.
    json!({ "type": "string", "pattern": "\\S" })
}

/// The schema of the entry that stands for inherited ones.
fn inherited() -> Value {
    json!({ "description": "The entries inherited from the recipe that `extends` names.", "enum": [INHERITED] })
}

fn table(spec: &Table) -> Value {
    let properties: Map<String, Value> = spec.keys.iter().map(|entry| (entry.name.into(), key(spec, entry))).collect();
    let required: Vec<&str> = spec.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = json!({
        "description": spec.about,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    match (required.is_empty(), spec.key("name")) {
        (true, _) => {}
        (false, None) => schema["required"] = json!(required),
        (false, Some(name)) if name.required => schema["required"] = json!(required),
        // An entry with a name may change an inherited one, which has the other keys.
        (false, Some(_)) => schema["anyOf"] = json!([{ "required": required }, { "required": ["name"] }]),
    }
    if !spec.exclusive.is_empty() {
        let names = spec.exclusive.iter().enumerate();
        let pairs = names.flat_map(|(index, a)| spec.exclusive[index + 1..].iter().map(move |b| [a, b]));
        let pairs: Vec<Value> = pairs.map(|pair| json!({ "required": pair })).collect();
        schema["not"] = json!({ "anyOf": pairs });
    }
    if spec.one_needed {
        let one: Vec<Value> = spec.exclusive.iter().map(|name| json!({ "required": [name] })).collect();
        schema["anyOf"] = json!(one);
    }
    if spec.name == STAGE.name {
        let stages = spec.keys.iter().filter(|key| !BESIDE_STAGES.contains(&key.name));
        let one: Vec<Value> = stages.map(|key| json!({ "required": [key.name] })).collect();
        schema["oneOf"] = json!(one);
        schema["not"] = json!({ "required": ["edge", "chance"] });
        schema["dependencies"] = json!({ "spectrum": ["noise"] });
    }
    schema
}

fn key(spec: &Table, key: &Key) -> Value {
    let mut schema = json!({ "description": description(key) });
    let value = kind(&key.kind);
    if value.get("$ref").is_some() {
        schema["allOf"] = json!([value]);
    } else {
        merge(&mut schema, value);
    }
    if let Some(default) = defaults::text(spec.name, key.name).and_then(to_json) {
        schema["default"] = default;
    }
    if let Some(example) = to_json(key.example) {
        schema["examples"] = json!([example]);
    }
    schema
}

/// Describes a key: its meaning, its unit, and the meaning of the names it accepts.
fn description(key: &Key) -> String {
    let mut text = key.about.to_owned();
    if !key.unit.is_empty() {
        text.push_str(&format!(" Unit: {}.", key.unit));
    }
    if let Kind::Choice(variants) = key.kind {
        for variant in variants {
            text.push_str(&format!("\n- {}: {}", variant.name, variant.about));
        }
    }
    text
}

/// Converts a TOML value to JSON.
fn to_json(value: &str) -> Option<Value> {
    if value.is_empty() {
        return None;
    }
    let table: Map<String, Value> = toml::from_str(&format!("value = {value}")).ok()?;
    table.get("value").cloned()
}

fn number(bounds: &Bounds) -> Value {
    let low = if bounds.above { "exclusiveMinimum" } else { "minimum" };
    json!({ "type": "number", low: bounds.low, "maximum": bounds.high })
}

/// Returns the forms of a schedule: a number, an expression, or keyframes.
fn over_time(bounds: &Bounds) -> Vec<Value> {
    vec![number(bounds), expression(), table(&KEYFRAMES)]
}

fn expression() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": LONGEST })
}

/// Combines several forms, no two of the same type, into one schema.
///
/// The result is one schema with a list of types, because a keyword only constrains values of its own type. `anyOf` would allow the same
/// values, but Taplo would offer a key once for each branch, without its description.
fn one_of_types(forms: Vec<Value>) -> Value {
    let types: Vec<Value> = forms.iter().filter_map(|form| form.get("type").cloned()).collect();
    let mut schema = json!({});
    for mut form in forms {
        if let Value::Object(form) = &mut form {
            form.remove("description");
        }
        merge(&mut schema, form);
    }
    schema["type"] = Value::Array(types);
    schema
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::File => text(),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Files => one_of_types(vec![text(), json!({ "type": "array", "items": text() })]),
        Kind::Whole(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Kind::Number(bounds) => number(bounds),
        Kind::Schedule(bounds) => one_of_types(over_time(bounds)),
        Kind::Switchable(bounds) => {
            json!({ "anyOf": [{ "enum": ["off"] }, one_of_types(over_time(bounds))] })
        }
        Kind::Weights(bounds) => {
            let weights = json!({
                "type": "object",
                "properties": { "keys": false },
                "additionalProperties": one_of_types(over_time(bounds)),
            });
            json!({ "anyOf": [one_of_types(over_time(bounds)), weights] })
        }
        Kind::Range(single, bounds) => {
            let reach = match single {
                Single::MinusToPlus => Bounds { low: bounds.low.max(0.0), ..*bounds },
                Single::FromZero | Single::Fixed => *bounds,
            };
            let mut forms = over_time(&reach);
            let end = one_of_types(over_time(bounds));
            forms.push(json!({ "type": "array", "items": end, "minItems": 2, "maxItems": 2 }));
            one_of_types(forms)
        }
        Kind::Choice(variants) => choice(variants),
        Kind::Colour => {
            json!({ "type": "array", "items": number(&Bounds::within(0.0, 1.0)), "minItems": 3, "maxItems": 3 })
        }
        Kind::Size => {
            let side = json!({ "type": "integer", "minimum": SIDES.0, "maximum": SIDES.1 });
            json!({ "type": "array", "items": side, "minItems": 2, "maxItems": 2 })
        }
        Kind::Keyframes => json!({
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "array",
                "items": [number(&Bounds::within(0.0, 1.0)), { "type": "number" }],
                "minItems": 2,
                "maxItems": 2,
            },
        }),
        Kind::Pipeline => json!({ "anyOf": [text(), reference("pipeline")] }),
        Kind::Pipelines => {
            json!({ "type": "object", "additionalProperties": { "anyOf": [text(), reference("pipeline")] } })
        }
        Kind::Prompts => {
            json!({ "type": "array", "minItems": 1, "items": { "anyOf": [text(), reference("prompt")] } })
        }
        Kind::Models => {
            let items = json!({ "anyOf": [text(), reference("model")] });
            json!({ "type": "array", "minItems": 1, "maxItems": MOST_MODELS, "items": items })
        }
        Kind::Texts => json!({ "type": "array", "minItems": 1, "items": text() }),
        Kind::Templates => json!({ "type": "array", "items": { "type": "string", "pattern": "\\{\\}" } }),
        Kind::Steps => {
            let step = json!({ "type": "integer", "minimum": 0 });
            let end = json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "enum": ["end"] }] });
            json!({ "type": "array", "items": [step, end], "minItems": 2, "maxItems": 2 })
        }
        Kind::Rectangle => rectangle(),
        Kind::Region => json!({ "anyOf": [rectangle(), reference("region")] }),
        Kind::Table(spec) => reference(spec.name),
        Kind::Tables(spec) => json!({ "type": "array", "items": { "anyOf": [reference(spec.name), inherited()] } }),
    }
}

fn rectangle() -> Value {
    let place = number(&Bounds::within(0.0, 1.0));
    let side = number(&Bounds::above(0.0, 1.0));
    json!({ "type": "array", "items": [place, place, side, side], "minItems": 4, "maxItems": 4 })
}

fn choice(variants: &[Variant]) -> Value {
    let alone = variants.iter().filter(|variant| !matches!(variant.with, With::Value(_)));
    let names = json!({ "enum": alone.map(|variant| variant.name).collect::<Vec<_>>() });
    let settings: Map<String, Value> = variants
        .iter()
        .filter_map(|variant| match variant.with {
            With::Nothing => None,
            With::Settings(spec) => Some((variant.name.to_owned(), reference(spec.name))),
            With::Value(inner) => Some((variant.name.to_owned(), kind(inner))),
        })
        .collect();
    if settings.is_empty() {
        return names;
    }
    json!({
        "anyOf": [
            names,
            {
                "type": "object",
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
                "properties": settings,
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_there_and_used() {
        let schema = schema();
        let text = schema.to_string();
        for name in schema["definitions"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("\"#/definitions/{name}\"")), "{name} is not used");
        }
        for part in text.split("\"#/definitions/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["definitions"].get(name).is_some(), "{name} is not there");
        }
    }

    #[test]
    fn defaults_and_examples_are_values_that_the_schema_allows() {
        let root = schema();
        for spec in keys::ALL {
            for entry in spec.keys {
                let mut schema = key(spec, entry);
                schema["definitions"] = root["definitions"].clone();
                let validator = jsonschema::draft7::new(&schema).unwrap();
                let written = [defaults::text(spec.name, entry.name).unwrap_or(""), entry.example];
                for value in written.into_iter().filter(|value| !value.is_empty()) {
                    let value = to_json(value).unwrap_or_else(|| panic!("{}.{}: {value}", spec.name, entry.name));
                    let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
                    assert!(wrong.is_empty(), "{}.{} = {value}: {wrong:?}", spec.name, entry.name);
                }
            }
        }
    }
}
