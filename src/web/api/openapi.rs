//! What the API is, for programs: an OpenAPI 3.1 document, made from the types that the answers are.

use std::{borrow::Cow, fmt, sync::OnceLock};

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{params::Param, problem::Problem};
use crate::{
    access::Role,
    web::{host::Host, links::Links, site::Site},
};

pub(in crate::web) struct Operation {
    /// Below the base path.
    pub(in crate::web) path: Cow<'static, str>,
    pub(in crate::web) about: Cow<'static, str>,
    pub(in crate::web) params: &'static [&'static [Param]],
    pub(in crate::web) is_list: bool,
}

/// What is to be described; written when somebody first asks for it, and not by every service that starts.
#[derive(Default)]
pub(in crate::web) struct Document {
    operations: Vec<Described>,
    written: OnceLock<Value>,
}

/// An operation with the schema of what it answers.
type Described = (Operation, Kind, fn(&mut SchemaGenerator) -> Schema);

#[derive(Clone, Copy)]
enum Kind {
    Question,
    /// A plugin's question: whatever it needs to answer, and nothing around that.
    Panel,
    /// Open to everybody.
    Open,
}

impl Document {
    pub(super) fn add<T: JsonSchema>(&mut self, operation: Operation) {
        self.operations.push((operation, Kind::Question, SchemaGenerator::subschema_for::<T>));
    }

    /// A panel of a plugin.
    pub(in crate::web) fn add_panel<T: JsonSchema>(&mut self, operation: Operation) {
        self.operations.push((operation, Kind::Panel, SchemaGenerator::subschema_for::<T>));
    }

    /// One that is open to everybody.
    pub(super) fn add_open<T: JsonSchema>(&mut self, path: &'static str, about: &'static str) {
        let operation = Operation { path: path.into(), about: about.into(), params: &[], is_list: false };
        self.operations.push((operation, Kind::Open, SchemaGenerator::subschema_for::<T>));
    }

    /// With what another describes.
    pub(in crate::web) fn extend(&mut self, other: Self) {
        self.operations.extend(other.operations);
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.operations.iter().map(|(operation, ..)| &operation.path)).finish()
    }
}

pub(super) fn register(host: &mut Host) {
    let handler = async |State(site): State<Site>, Extension(links): Extension<Links>| {
        show(site.document.written.get_or_init(|| write(&site.document.operations)), &links)
    };
    host.data("api/openapi.json", Role::Mod, get(handler));
}

fn write(operations: &[Described]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut writer = Writer { schemas: settings.into_generator(), paths: Map::new() };
    for (operation, kind, schema) in operations {
        let schema = schema(&mut writer.schemas);
        match kind {
            Kind::Question => writer.question(operation, &schema),
            Kind::Panel => writer.panel(operation, &schema),
            Kind::Open => writer.open(operation, &schema),
        }
    }
    writer.finish()
}

struct Writer {
    schemas: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Writer {
    fn question(&mut self, operation: &Operation, schema: &Schema) {
        let Operation { path, about, is_list, .. } = operation;
        let envelope = json!({
            "type": "object",
            "properties": {
                "source": {"type": "string", "enum": ["rollup", "raw"], "description": "What it was answered from"},
                "took_ms": {"type": "number", "minimum": 0, "description": "Milliseconds it took"},
            },
            "required": ["source", "took_ms"],
        });
        let mut content = json!({"application/json": {"schema": {"allOf": [schema, envelope]}}});
        let mut responses = json!({"200": {"description": about, "content": content.clone()}});
        if *is_list {
            content["text/csv"] = json!({"schema": {"type": "string"}});
            responses["200"]["content"] = content;
            responses["200"]["headers"] =
                json!({"x-next-cursor": {"schema": {"type": "string"}, "description": "Of CSV: the cursor of the next page"}});
        }
        let has_id = path.ends_with('}');
        let errors = [("400", "A parameter is wrong"), ("401", "Nobody is signed in"), ("403", "The role does not include this")];
        let more = [("422", "Raw hits that are needed were put away"), ("503", "It took too long")];
        for (status, what) in errors.into_iter().chain(more).chain(has_id.then_some(("404", "There is none with this id"))) {
            responses[status] = self.problem(what);
        }
        responses["304"] = json!({"description": "As `If-None-Match` says"});
        self.path(path, operation, &responses);
        // The router does not take a name and an ending in one part of a path.
        if *is_list && !has_id {
            self.csv(operation, responses);
        }
    }

    fn csv(&mut self, operation: &Operation, mut responses: Value) {
        responses["200"]["content"] = json!({"text/csv": {"schema": {"type": "string"}}});
        self.path(&format!("{}.csv", operation.path), operation, &responses);
    }

    fn panel(&mut self, operation: &Operation, schema: &Schema) {
        let Operation { path, about, .. } = operation;
        let mut responses = json!({"200": {"description": about, "content": {"application/json": {"schema": schema}}}});
        let errors = [("400", "A parameter is wrong"), ("401", "Nobody is signed in"), ("403", "The role does not include this")];
        let more = [("422", "Raw hits that are needed were put away"), ("500", "The plugin failed"), ("503", "It took too long")];
        for (status, what) in errors.into_iter().chain(more) {
            responses[status] = self.problem(what);
        }
        self.path(path, operation, &responses);
        self.csv(operation, responses);
    }

    fn problem(&mut self, what: &str) -> Value {
        let schema: Schema = self.schemas.subschema_for::<Problem>();
        json!({"description": what, "content": {"application/json": {"schema": schema}}})
    }

    fn path(&mut self, path: &str, operation: &Operation, responses: &Value) {
        let Operation { about, params, .. } = operation;
        let params = params.iter().copied().flatten().map(
            |param| json!({"name": param.name, "in": "query", "required": false, "description": param.about, "schema": param.schema()}),
        );
        let id = path.ends_with('}').then(|| path.rsplit('{').next().unwrap_or_default().trim_end_matches('}'));
        let id = id.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}));
        let name = path.replace(['/', '-', '.', '{', '}'], "_").trim_matches('_').to_owned();
        let get = json!({
            "operationId": name,
            "summary": about,
            "parameters": id.into_iter().chain(params).collect::<Vec<_>>(),
            "responses": responses,
        });
        self.paths.insert(format!("/{path}"), json!({"get": get}));
    }

    fn open(&mut self, operation: &Operation, schema: &Schema) {
        let Operation { path, about, .. } = operation;
        let answer = |what: &str| json!({"description": what, "content": {"application/json": {"schema": schema}}});
        let mut responses = json!({"200": answer(about), "503": answer("Nobody records, or recording is interrupted")});
        responses["400"] = self.problem("A parameter is wrong");
        self.path(path, operation, &responses);
        self.paths[&format!("/{path}")]["get"]["security"] = json!([]);
    }

    fn finish(mut self) -> Value {
        let schemas = self.schemas.take_definitions(true);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "tower-analytics",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Who uses this service. Times are RFC 3339 in UTC, durations seconds, latencies milliseconds.",
            },
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"bearer": []}],
        })
    }
}

fn show(document: &Value, links: &Links) -> Response {
    let mut document = document.clone();
    document["servers"] = json!([{"url": links.home()}]);
    ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}
