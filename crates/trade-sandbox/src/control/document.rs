//! The OpenAPI document, read once.

use std::sync::LazyLock;

use serde_json::Value;

/// The document as it is served.
pub(super) const TEXT: &str = include_str!("openapi.json");

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// A part of the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node(&'static Value);

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) node: Node,
    path_node: Node,
}

/// The whole document.
pub(super) fn root() -> Node {
    Node(&DOCUMENT)
}

/// All operations, in the document's order.
pub(super) fn operations() -> impl Iterator<Item = Operation> {
    root().get("paths").members().flat_map(|(path, path_node)| {
        path_node
            .members()
            .filter(|(method, _)| *method != "parameters")
            .map(move |(method, node)| Operation {
                method,
                path,
                node,
                path_node,
            })
    })
}

impl Operation {
    /// The parameters of the path.
    pub(super) fn parameters(&self) -> impl Iterator<Item = Node> {
        self.path_node.get("parameters").items()
    }

    /// The path with the examples of its parameters.
    pub(super) fn example_path(&self) -> String {
        self.parameters().fold(self.path.to_owned(), |path, parameter| {
            let name = format!("{{{}}}", parameter.text("name"));
            path.replace(&name, &parameter.get("example").show())
        })
    }

    /// The fields of the JSON body and whether each is required.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, bool, Node)> {
        let schema = self.body().get("schema");
        schema.get("properties").members().map(move |(name, field)| {
            let required = schema.get("required").items().any(|item| item.show() == name);
            (name, required, field)
        })
    }

    /// The example bodies.
    pub(super) fn bodies(&self) -> Vec<(&'static str, Node)> {
        self.body().examples()
    }

    fn body(&self) -> Node {
        self.node
            .get("requestBody")
            .get("content")
            .get("application/json")
    }
}

impl Node {
    /// A member; what is absent reads as null. References are followed.
    pub(super) fn get(self, name: &str) -> Self {
        Self(self.0.get(name).unwrap_or(&Value::Null)).resolved()
    }

    /// The members of an object.
    pub(super) fn members(self) -> impl Iterator<Item = (&'static str, Self)> {
        let members = self.0.as_object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), Self(value).resolved()))
    }

    /// The items of an array.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        self.0
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| Self(item).resolved())
    }

    /// A member that is text.
    pub(super) fn text(self, name: &str) -> &'static str {
        self.get(name).0.as_str().unwrap_or_default()
    }

    /// The `example` or the `examples` of a media type, each with a name.
    pub(super) fn examples(self) -> Vec<(&'static str, Self)> {
        let one = self.get("example");
        if one.0.is_null() {
            let named = self.get("examples").members();
            named
                .map(|(name, example)| (name, example.get("value")))
                .collect()
        } else {
            vec![("", one)]
        }
    }

    /// Text as it is, anything else as compact JSON, null as nothing.
    pub(super) fn show(self) -> String {
        match self.0 {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Indented JSON.
    pub(super) fn pretty(self) -> String {
        format!("{:#}", self.0)
    }

    fn resolved(self) -> Self {
        let target = self.0.get("$ref").and_then(Value::as_str);
        let pointer = target.and_then(|target| target.strip_prefix('#'));
        pointer
            .and_then(|pointer| DOCUMENT.pointer(pointer))
            .map_or(self, Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::page;

    #[test]
    fn the_document_lists_what_is_served_and_nothing_else() {
        let served: BTreeSet<(String, &str)> = super::super::routes()
            .into_iter()
            .chain(page::routes())
            .map(|(method, path, _)| (method.to_string(), path))
            .collect();
        let listed: BTreeSet<(String, &str)> = operations()
            .map(|operation| (operation.method.to_uppercase(), operation.path))
            .collect();
        assert_eq!(listed, served);
    }

    #[test]
    fn the_document_is_of_this_version_and_complete() {
        assert_eq!(root().get("info").text("version"), env!("CARGO_PKG_VERSION"));
        assert!(!TEXT.contains("\t"));
        for operation in operations() {
            let place = format!("{} {}", operation.method, operation.path);
            assert!(!operation.node.text("summary").is_empty(), "{place}");
            assert!(!operation.example_path().contains('{'), "{place}");
            let takes_body = operation.fields().count() > 0;
            assert_eq!(operation.bodies().is_empty(), !takes_body, "{place}");
            for (name, _, field) in operation.fields() {
                assert!(!field.text("description").is_empty(), "{place}: {name}");
            }
            for (status, response) in operation.node.get("responses").members() {
                assert!(!response.text("description").is_empty(), "{place}: {status}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        for piece in TEXT.split("\"$ref\": \"#").skip(1) {
            let pointer = piece.split_once('"').unwrap().0;
            assert!(DOCUMENT.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
