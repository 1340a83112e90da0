//! What the API is, for programs: an OpenAPI 3.1 document, made from the types that the answers are.

use axum::{
    Extension,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{params::Param, problem::Problem};
use crate::{
    access::Role,
    web::{host::Host, links::Links},
};

pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) params: &'static [&'static [Param]],
    pub(super) is_list: bool,
}

pub(super) struct Document {
    schemas: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Default for Document {
    fn default() -> Self {
        let schemas =
            SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { schemas: schemas.into_generator(), paths: Map::new() }
    }
}

impl Document {
    pub(super) fn add<T: JsonSchema>(&mut self, operation: &Operation) {
        let schema = self.schemas.subschema_for::<T>();
        let Operation { path, about, is_list, .. } = *operation;
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
        if is_list {
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
        self.path(operation, has_id, &responses);
        // The router does not take a name and an ending in one part of a path.
        if is_list && !has_id {
            responses["200"]["content"] = json!({"text/csv": {"schema": {"type": "string"}}});
            let path = Box::leak(format!("{path}.csv").into_boxed_str());
            self.path(&Operation { path, ..*operation }, has_id, &responses);
        }
    }

    fn problem(&mut self, what: &str) -> Value {
        let schema: Schema = self.schemas.subschema_for::<Problem>();
        json!({"description": what, "content": {"application/json": {"schema": schema}}})
    }

    fn path(&mut self, operation: &Operation, has_id: bool, responses: &Value) {
        let Operation { path, about, params, .. } = operation;
        let params = params.iter().copied().flatten().map(
            |param| json!({"name": param.name, "in": "query", "required": false, "description": param.about, "schema": param.schema()}),
        );
        let id = has_id.then(|| path.rsplit('{').next().unwrap_or_default().trim_end_matches('}'));
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

    /// One that is open to everybody.
    pub(super) fn add_open<T: JsonSchema>(&mut self, path: &'static str, about: &'static str) {
        let schema = self.schemas.subschema_for::<T>();
        let answer = |what: &str| json!({"description": what, "content": {"application/json": {"schema": schema}}});
        let mut responses = json!({"200": answer(about), "503": answer("Nobody records, or recording is interrupted")});
        responses["400"] = self.problem("A parameter is wrong");
        let operation = Operation { path, about, params: &[], is_list: false };
        self.path(&operation, false, &responses);
        self.paths[&format!("/{path}")]["get"]["security"] = json!([]);
    }

    pub(super) fn register(mut self, host: &mut Host) {
        let schemas = self.schemas.take_definitions(true);
        let document = json!({
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
        });
        let show = async move |Extension(links): Extension<Links>| show(&document, &links);
        host.data("api/openapi.json", Role::Mod, get(show));
    }
}

fn show(document: &Value, links: &Links) -> Response {
    let mut document = document.clone();
    document["servers"] = json!([{"url": links.home()}]);
    ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}
