//! Promises over the whole list of tools, and each tool's exact entry in `tools/list`.

use super::*;
use crate::generated::{self, README};

#[test]
fn every_tool_s_entry_is_the_recorded_one() {
    for tool in TOOLS {
        let definition = (tool.definition)();
        insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_json_snapshot!(definition.name, definition);
        });
    }
}

#[test]
fn every_argument_schema_compiles() {
    for tool in TOOLS {
        let definition = (tool.definition)();
        let checker = arguments::Checker::new(definition.name, &definition.input_schema);
        assert!(checker.compiles(), "{}", definition.name);
    }
}

#[test]
fn names_are_unique_and_every_tool_is_found_by_its_own() {
    let toolbox = Toolbox::new();
    for tool in TOOLS {
        assert_eq!((tool.definition)().name, tool.name);
        assert_eq!(names().filter(|other| *other == tool.name).count(), 1);
        assert_eq!(toolbox.find(tool.name).map(|entry| entry.tool.name), Some(tool.name));
    }
}

#[test]
fn the_readme_s_table_of_tools_is_the_list_of_tools() {
    let row = |tool: &mcp::Tool| format!("| `{}` | {} |\n", tool.name, tool.description);
    let rows: Vec<String> = definitions().iter().map(row).collect();
    generated::check(
        README,
        "tools",
        &format!("| tool | what it does |\n|---|---|\n{}", rows.concat()),
    );
}

#[test]
fn the_readme_s_table_of_settings_is_the_list_of_flags() {
    use clap::CommandFactory as _;
    let command = crate::Flags::command();
    let rows: Vec<String> = command
        .get_arguments()
        .filter_map(|flag| {
            let help = flag.get_help()?.to_string();
            let (what, names) = help.strip_suffix(']')?.rsplit_once('[')?;
            let (environment, default) = names.split_once("; default ").unwrap_or((names, ""));
            let name = flag.get_long()?;
            Some(format!("| `--{name}` | `{environment}` | {default} | {} |\n", what.trim()))
        })
        .collect();
    let flags = command.get_arguments().filter(|flag| flag.get_long().is_some()).count();
    assert_eq!(rows.len(), flags, "every flag's help names its variable in brackets");
    let head = "| flag | environment | default | |\n|---|---|---|---|\n";
    generated::check(README, "settings", &format!("{head}{}", rows.concat()));
}
