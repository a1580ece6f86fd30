//! The service from outside: the gateway in front of the stand-in for fal, over real sockets. One
//! module a behaviour.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests: whatever is not as expected fails the test"
)]

mod canaries;
mod catalogue;
mod client_limits;
mod clients;
mod cold_schema;
mod collector;
mod conformance;
mod connections;
mod disconnect;
mod docs;
mod drain;
mod drain_under_load;
mod failures;
mod logs;
mod main_job;
mod max_cost;
mod metrics;
mod money;
mod openapi;
mod outages;
mod page;
mod peers;
mod pricing;
mod process;
mod protocol;
mod proxies;
mod random_schedules;
mod rates;
mod real_schemas_refuse;
mod recommend;
mod refused_keys;
mod refused_messages;
mod refused_tool_calls;
mod rust_sdk;
mod schemas;
mod server;
mod shown;
mod stdio;
mod tasks;
mod tools_list;
mod traces;
mod transport_limits;
mod upload_clients;
mod upload_commands;
mod upload_memory;
mod upload_sources;
mod waiting;
