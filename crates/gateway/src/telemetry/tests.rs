//! The documentation against the lists in the code.

use std::fs;

use super::instruments::{ALL, Instrument, Kind};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/telemetry.md");

/// A metric's name in Prometheus, as OpenTelemetry's specification makes it.
fn prometheus_name(instrument: &Instrument) -> String {
    let unit = match instrument.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        _ => "",
    };
    let total = if matches!(instrument.kind, Kind::Counter) { "_total" } else { "" };
    format!("{}{unit}{total}", instrument.name.replace('.', "_"))
}

fn label(attribute: &str) -> String {
    format!("`{}`", attribute.replace('.', "_"))
}

fn row(instrument: &Instrument) -> String {
    let kind = match instrument.kind {
        Kind::Histogram(_) => "histogram",
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    let unit = if instrument.unit.is_empty() { "" } else { ", " };
    let labels: Vec<String> = instrument.labels.iter().map(|name| label(name)).collect();
    format!(
        "| `{}` | `{}` | {kind}{unit}{} | {} | {} |\n",
        prometheus_name(instrument),
        instrument.name,
        instrument.unit,
        labels.join(", "),
        instrument.about
    )
}

#[test]
fn the_table_of_metrics_is_the_list_of_instruments() {
    let rows: String = ALL.iter().map(|instrument| row(instrument)).collect();
    let head =
        "| Prometheus | OpenTelemetry | kind, unit | labels | meaning |\n|---|---|---|---|---|\n";
    crate::generated::check(PATH, "metrics", &format!("{head}{rows}"));
}

#[test]
fn every_label_is_explained() {
    let document = fs::read_to_string(PATH).unwrap();
    for name in ALL.iter().flat_map(|instrument| instrument.labels) {
        let label = label(name);
        let is_row_of = |line: &str| {
            let cells: Vec<&str> = line.split(" | ").collect();
            cells.len() == 2 && cells[0].contains(&label)
        };
        assert!(document.lines().any(is_row_of), "{label} has no row in the table of labels");
    }
}
