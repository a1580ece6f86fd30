//! What is read of flags and environment, and what is said of mistakes.

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_flag_wins_over_the_environment_and_both_over_the_default() {
    let flags = Flags { port: Some("1".to_owned()), ..Flags::default() };
    let environment = environment(&[(ENV_PORT, "2"), (ENV_HOST, "0.0.0.0")]);
    let (config, _) = Config::resolve(&flags, environment).unwrap();
    assert_eq!(config.addr.to_string(), "0.0.0.0:1");
    assert_eq!(config.wait, Duration::from_secs(45));
}

#[test]
fn every_mistake_is_reported_at_once_with_its_name_and_what_is_accepted() {
    let environment = environment(&[
        (ENV_PORT, "70000"),
        (ENV_TRANSPORT, "sse"),
        (ENV_QUEUE_URL, "ftp://queue"),
        (ENV_WAIT_SECONDS, "301"),
        (ENV_MAX_BODY_BYTES, "-1"),
        (ENV_LOG_LEVEL, "gateway=loud"),
        (ENV_ADMIN_ADDR, "9464"),
    ]);
    let ConfigError(mistakes) = Config::resolve(&Flags::default(), environment).unwrap_err();
    assert_eq!(
        mistakes,
        [
            "FAL_MCP_PORT (--port) is \"70000\": expected 0 to 65535",
            "FAL_QUEUE_URL (--queue-url) is \"ftp://queue\": expected an http:// or https:// URL",
            "FAL_MCP_MAX_BODY_BYTES (--max-body-bytes) is \"-1\": expected a whole number, at least 1024",
            "FAL_MCP_TRANSPORT (--transport) is \"sse\": expected http, stdio or dual",
            "FAL_MCP_LOG_LEVEL (--log-level) is \"gateway=loud\": expected error, warn, info, debug, trace or a tracing filter",
            "FAL_MCP_ADMIN_ADDR (--admin-addr) is \"9464\": expected an IP address with a port, or off",
            "FAL_MCP_WAIT_SECONDS (--wait-seconds) is \"301\": expected seconds from 0 to 300",
        ]
    );
}

#[test]
fn the_stdio_transport_needs_a_key_and_no_mistake_shows_it() {
    for (key, mistake) in [
        (None, "FAL_KEY is not set; the stdio transport needs the caller's key there"),
        (Some("canary"), "FAL_KEY: the key has no colon; a fal key is <key_id>:<key_secret>"),
    ] {
        let key = key.map(|key| (ENV_KEY, key));
        let pairs: Vec<_> = [(ENV_TRANSPORT, "stdio")].into_iter().chain(key).collect();
        let refused = Config::resolve(&Flags::default(), environment(&pairs)).unwrap_err();
        assert_eq!(refused.to_string(), mistake);
    }
    let over_http = environment(&[(ENV_KEY, "canary")]);
    let (config, _) = Config::resolve(&Flags::default(), over_http).unwrap();
    assert!(config.key.is_none(), "over HTTP each request brings its own");
}

#[test]
fn unknown_variables_under_our_prefix_are_warned_about() {
    let environment = environment(&[("FAL_MCP_PROT", "1"), ("FAL_OTHER", "1")]);
    let (_, warnings) = Config::resolve(&Flags::default(), environment).unwrap();
    assert_eq!(
        warnings,
        ["FAL_MCP_PROT is set, but no setting has that name; did you mean FAL_MCP_PORT?"]
    );
}

#[test]
fn the_public_url_s_host_and_the_bound_address_may_be_named_by_requests() {
    let flags = Flags {
        public_url: Some("https://Mcp.Example.com/".to_owned()),
        host: Some("10.0.0.7".to_owned()),
        ..Flags::default()
    };
    let (config, _) = Config::resolve(&flags, []).unwrap();
    let hosts = config.allowed_hosts.clone().unwrap();
    assert!(hosts.contains("mcp.example.com") && hosts.contains("10.0.0.7"));
    assert_eq!(config.endpoint_url(config.addr), "https://mcp.example.com/mcp");
}

#[test]
fn the_admin_address_can_be_moved_and_switched_off() {
    let admin = |text: &str| {
        let flags = Flags { admin_addr: Some(text.to_owned()), ..Flags::default() };
        Config::resolve(&flags, []).unwrap().0.admin_addr
    };
    assert_eq!(admin("0.0.0.0:9000"), Some(SocketAddr::from(([0, 0, 0, 0], 9000))));
    assert_eq!(admin("off"), None);
}

#[test]
fn a_star_allows_any_host() {
    let flags = Flags { allowed_hosts: Some("*".to_owned()), ..Flags::default() };
    let (config, _) = Config::resolve(&flags, []).unwrap();
    assert_eq!(config.allowed_hosts, None);
}

#[test]
fn the_table_of_names_holds_every_variable_of_ours_that_a_flag_s_help_names() {
    use clap::CommandFactory as _;
    let help = Flags::command().render_long_help().to_string();
    let named: BTreeSet<&str> = help
        .split(|character: char| !(character.is_ascii_uppercase() || character == '_'))
        .filter(|word| word.starts_with(ENV_PREFIX))
        .collect();
    assert_eq!(named, ENV_NAMES.iter().copied().collect());
}
