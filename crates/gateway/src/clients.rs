//! The clients that people point at the gateway and the configuration that each takes. The page for
//! people shows it with the endpoint's own address, the README with a made-up one.
//!
//! Nothing here ever holds a key: each configuration names the place that the client reads it from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// One client.
pub(crate) struct Client {
    /// Its name, as its maker spells it.
    pub(crate) name: &'static str,
    /// Where the configuration goes: a file, or a place to type it.
    pub(crate) place: &'static str,
    /// Makes the configuration for the URL of an endpoint.
    pub(crate) configuration: fn(&str) -> Configuration,
    /// Makes a link that opens the client with the configuration filled in, where it has such links.
    pub(crate) install_link: Option<fn(&str) -> String>,
}

/// What a person copies.
#[derive(Debug)]
pub(crate) enum Configuration {
    /// A command or a piece of a file, as it is.
    Text(String),
    /// A file of JSON.
    Json(Value),
}

/// Every client that we know the configuration of.
pub(crate) const CLIENTS: [Client; 7] = [
    Client {
        name: "Claude Code",
        place: "in a terminal",
        configuration: |endpoint| {
            Configuration::Text(format!(
                "claude mcp add --transport http fal {endpoint} --header \"Authorization: Bearer $FAL_KEY\""
            ))
        },
        install_link: None,
    },
    Client {
        name: "Cursor",
        place: "~/.cursor/mcp.json",
        configuration: |endpoint| {
            Configuration::Json(json!({"mcpServers": {"fal": cursor_server(endpoint)}}))
        },
        install_link: Some(cursor_link),
    },
    Client {
        name: "VS Code",
        place: ".vscode/mcp.json",
        configuration: |endpoint| {
            Configuration::Json(
                json!({"inputs": [vs_code_input()], "servers": {"fal": vs_code_server(endpoint)}}),
            )
        },
        install_link: Some(vs_code_link),
    },
    Client {
        name: "Windsurf",
        place: "~/.codeium/windsurf/mcp_config.json",
        configuration: |endpoint| {
            Configuration::Json(json!({"mcpServers": {"fal": {
                "serverUrl": endpoint,
                "headers": {"Authorization": "Bearer ${env:FAL_KEY}"},
            }}}))
        },
        install_link: None,
    },
    Client {
        name: "Codex",
        place: "~/.codex/config.toml",
        // Codex cuts a call after 300 s, which is as long as run_model may be asked to wait.
        configuration: |endpoint| {
            Configuration::Text(format!(
                "[mcp_servers.fal]\nurl = \"{endpoint}\"\nbearer_token_env_var = \"FAL_KEY\"\ntool_timeout_sec = 310"
            ))
        },
        install_link: None,
    },
    Client {
        name: "Gemini CLI",
        place: "in a terminal",
        configuration: |endpoint| {
            Configuration::Text(format!(
                "gemini mcp add --transport http --header \"Authorization: Bearer $FAL_KEY\" fal {endpoint}"
            ))
        },
        install_link: None,
    },
    Client {
        name: "A client that only starts commands",
        place: "as the command of a server, with FAL_KEY in its environment",
        configuration: |endpoint| {
            Configuration::Text(format!(
                "npx mcp-remote {endpoint} --header \"Authorization: Bearer ${{FAL_KEY}}\""
            ))
        },
        install_link: None,
    },
];

impl Configuration {
    /// As it stands in a file.
    pub(crate) fn pretty(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Json(value) => format!("{value:#}"),
        }
    }
}

fn cursor_server(endpoint: &str) -> Value {
    json!({"url": endpoint, "headers": {"Authorization": "Bearer ${env:FAL_KEY}"}})
}

fn vs_code_server(endpoint: &str) -> Value {
    json!({"type": "http", "url": endpoint, "headers": {"Authorization": "Bearer ${input:fal-key}"}})
}

/// VS Code asks for the key once and keeps it in its secret store.
fn vs_code_input() -> Value {
    json!({"type": "promptString", "id": "fal-key", "description": "fal key", "password": true})
}

/// <https://cursor.com/docs/mcp/install-links>
fn cursor_link(endpoint: &str) -> String {
    let config = STANDARD.encode(cursor_server(endpoint).to_string());
    format!("cursor://anysphere.cursor-deeplink/mcp/install?name=fal&config={}", escaped(&config))
}

/// <https://code.visualstudio.com/api/extension-guides/ai/mcp>
fn vs_code_link(endpoint: &str) -> String {
    let inputs = json!([vs_code_input()]).to_string();
    let config = vs_code_server(endpoint).to_string();
    format!(
        "https://insiders.vscode.dev/redirect/mcp/install?name=fal&inputs={}&config={}",
        escaped(&inputs),
        escaped(&config)
    )
}

/// A value in a URL's query. Spaces as `%20`, which every reader understands.
fn escaped(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::generated;
    use url::Url;

    const ENDPOINT: &str = "https://mcp.example.com/mcp";

    fn query(link: &str) -> HashMap<String, String> {
        Url::parse(link).unwrap().query_pairs().into_owned().collect()
    }

    #[test]
    fn every_configuration_names_the_endpoint_and_where_the_key_is_read_from() {
        for client in CLIENTS {
            let text = (client.configuration)(ENDPOINT).pretty();
            assert!(text.contains(ENDPOINT), "{text}");
            assert!(text.contains("FAL_KEY") || text.contains("${input:fal-key}"), "{text}");
        }
    }

    #[test]
    fn cursor_s_link_carries_its_server_s_configuration() {
        let query = query(&cursor_link(ENDPOINT));
        let config = STANDARD.decode(&query["config"]).unwrap();
        assert_eq!(query["name"], "fal");
        assert_eq!(
            serde_json::from_slice::<Value>(&config).unwrap(),
            json!({"url": ENDPOINT, "headers": {"Authorization": "Bearer ${env:FAL_KEY}"}})
        );
    }

    #[test]
    fn vs_code_s_link_makes_it_ask_for_the_key() {
        let query = query(&vs_code_link(ENDPOINT));
        let inputs: Value = serde_json::from_str(&query["inputs"]).unwrap();
        let config: Value = serde_json::from_str(&query["config"]).unwrap();
        assert_eq!(inputs[0]["password"], true);
        assert_eq!(config["headers"]["Authorization"], "Bearer ${input:fal-key}");
        assert_eq!(config["url"], ENDPOINT);
    }

    #[test]
    fn the_readme_s_table_of_clients_is_the_list_of_clients() {
        let code = |line: &str| format!("`{}`", line.replace('|', "\\|"));
        let rows: Vec<String> = CLIENTS
            .iter()
            .map(|client| {
                let configuration = match (client.configuration)("https://HOST/mcp") {
                    Configuration::Text(text) => {
                        text.lines().map(code).collect::<Vec<_>>().join("<br>")
                    }
                    Configuration::Json(value) => code(&value.to_string()),
                };
                format!("| {} | {} | {configuration} |\n", client.name, client.place)
            })
            .collect();
        let head = "| client | where | configuration |\n|---|---|---|\n";
        generated::check(generated::README, "clients", &format!("{head}{}", rows.concat()));
    }
}
