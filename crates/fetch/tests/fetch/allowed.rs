//! Which URLs are fetched: attempts to reach what only we can see, and beside each a URL that is
//! written in the same way and allowed.

use fetch::Error;

use crate::support::{FILE, NAME, PUBLIC_V4, PUBLIC_V6, Server, Web, answer, limits, whole};

/// A URL that is refused, and its legal twin.
const ATTEMPTS: [(&str, &str); 70] = [
    // The address as everyone writes it.
    ("https://127.0.0.1/", "https://93.184.215.14/"),
    ("https://127.0.0.1:22/", "https://93.184.215.14:8443/"),
    ("https://127.255.255.254/", "https://93.184.215.14/a"),
    ("https://0.0.0.0/", "https://93.184.215.14/b"),
    ("https://10.0.0.5/", "https://93.184.215.14/c?d=e"),
    ("https://172.16.0.1/", "https://93.184.215.14/#f"),
    ("https://172.31.255.254/", "https://93.184.215.14"),
    ("https://192.168.1.1/", "https://93.184.215.14//"),
    ("https://100.64.0.1/", "https://93.184.215.14/g"),
    ("https://169.254.0.1/", "https://93.184.215.14/h"),
    ("https://192.0.2.1/", "https://93.184.215.14/i"),
    ("https://198.51.100.1/", "https://93.184.215.14/j"),
    ("https://203.0.113.1/", "https://93.184.215.14/k"),
    ("https://198.18.0.1/", "https://93.184.215.14/l"),
    ("https://224.0.0.1/", "https://93.184.215.14/m"),
    ("https://239.255.255.250/", "https://93.184.215.14/n"),
    ("https://255.255.255.255/", "https://93.184.215.14/o"),
    ("https://240.0.0.1/", "https://93.184.215.14/p"),
    // Metadata services.
    ("https://169.254.169.254/latest/meta-data/", "https://93.184.215.14/latest/meta-data/"),
    ("https://169.254.170.2/v2/credentials", "https://93.184.215.14/v2/credentials"),
    ("https://168.63.129.16/machine", "https://93.184.215.14/machine"),
    ("https://100.100.100.200/latest/", "https://93.184.215.14/latest/"),
    ("https://192.0.0.192/opc/v2/", "https://93.184.215.14/opc/v2/"),
    ("https://[fd00:ec2::254]/", "https://[2606:4700::6810:85e5]/"),
    ("https://[fd20:ce::254]/", "https://[2606:4700::6810:85e5]/q"),
    // The same address in other numbers.
    ("https://2130706433/", "https://1572394766/"),
    ("https://0x7f000001/", "https://0x5db8d70e/"),
    ("https://017700000001/", "https://013556153416/"),
    ("https://0x7f.0.0.1/", "https://0x5d.184.215.14/"),
    ("https://0177.0.0.1/", "https://0135.0270.0327.016/"),
    ("https://127.1/", "https://93.12113678/"),
    ("https://127.0.1/", "https://93.184.55054/"),
    ("https://0/", "https://1572394766/r"),
    ("https://2852039166/", "https://1572394766/s"),
    ("https://0xa9fea9fe/", "https://0x5db8d70e/t"),
    ("https://0251.0376.0251.0376/", "https://0135.0270.0327.016/u"),
    ("https://127.0.0.1./", "https://93.184.215.14./"),
    ("https://%31%32%37.0.0.1/", "https://%39%33.184.215.14/"),
    // Letters that mean digits and dots.
    ("https://①②⑦.⓪.⓪.①/", "https://⑨③.①⑧④.②①⑤.①④/"),
    ("https://１２７.０.０.１/", "https://９３.１８４.２１５.１４/"),
    ("https://127。0。0。1/", "https://93。184。215。14/"),
    ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://ⓕⓘⓛⓔⓢ.example/"),
    // IPv6 and what hides in it.
    ("https://[::1]/", "https://[2606:4700::6810:85e5]/a"),
    ("https://[::]/", "https://[2606:4700::6810:85e5]/b"),
    ("https://[0:0:0:0:0:0:0:1]/", "https://[2606:4700:0:0:0:0:6810:85e5]/"),
    ("https://[::ffff:127.0.0.1]/", "https://[2606:4700::104.16.133.229]/"),
    ("https://[::ffff:7f00:1]/", "https://[2606:4700::6810:85e5]/c"),
    ("https://[::ffff:93.184.215.14]/", "https://93.184.215.14/v"),
    ("https://[::127.0.0.1]/", "https://[2606:4700::6810:85e5]/d"),
    ("https://[64:ff9b::127.0.0.1]/", "https://[2606:4700::6810:85e5]/e"),
    ("https://[64:ff9b::a9fe:a9fe]/", "https://[2606:4700::6810:85e5]/f"),
    ("https://[64:ff9b:1::1]/", "https://[2606:4700::6810:85e5]/g"),
    ("https://[2002:7f00:1::]/", "https://[2606:4700::6810:85e5]/h"),
    ("https://[2001:0:7f00:1::]/", "https://[2606:4700::6810:85e5]/i"),
    ("https://[2001:db8::1]/", "https://[2606:4700::6810:85e5]/j"),
    ("https://[fe80::1]/", "https://[2606:4700::6810:85e5]/k"),
    ("https://[fe80::1%25eth0]/", "https://[2606:4700::6810:85e5]/l"),
    ("https://[fc00::1]/", "https://[2606:4700::6810:85e5]/m"),
    ("https://[fd12:3456::1]/", "https://[2606:4700::6810:85e5]/n"),
    ("https://[ff02::1]/", "https://[2606:4700::6810:85e5]/o"),
    ("https://[fec0::1]/", "https://[2606:4700::6810:85e5]/p"),
    // Names.
    ("https://localhost/", "https://files.example/"),
    ("https://localhost./", "https://files.example./"),
    ("https://LOCALHOST/", "https://FILES.EXAMPLE/"),
    ("https://no-such-name.example/", "https://files.example/a"),
    // What else a URL may carry.
    ("http://files.example/", "https://files.example/b"),
    ("https://user@files.example/", "https://files.example/user@"),
    ("https://user:secret@files.example/", "https://files.example/?user:secret@"),
    ("https://files.example@127.0.0.1/", "https://files.example/@127.0.0.1/"),
    ("https://127.0.0.1\\@files.example/", "https://files.example\\@127.0.0.1/"),
];

/// Addresses that a name must not have.
const FORBIDDEN: [&str; 16] = [
    "127.0.0.1",
    "10.0.0.5",
    "172.20.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "224.0.0.1",
    "192.0.2.1",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
];

async fn web() -> Web {
    let web = Web::start(false).await;
    web.names.say("localhost", &[&["127.0.0.1", "::1"]]);
    web
}

async fn assert_refused(web: &Web, url: &str) {
    let outcome = web.get(url).await;
    assert!(matches!(outcome, Err(Error::NotAllowed)), "{url}: {outcome:?}");
}

#[tokio::test]
async fn no_way_of_writing_an_inner_address_is_followed_and_its_legal_twin_is() {
    let web = web().await;
    for (attempt, twin) in ATTEMPTS {
        assert_refused(&web, attempt).await;
        assert_eq!(web.names.dialled(), [""; 0], "{attempt}");
        let outcome = web.get(twin).await;
        assert_eq!(outcome.ok().as_deref(), Some(FILE), "{twin}");
        assert_eq!(web.names.dialled().len(), 1, "{twin}");
    }
}

#[tokio::test]
async fn no_redirect_leads_to_an_inner_address_and_its_legal_twin_is_followed() {
    let web = web().await;
    // A header holds visible ASCII; other letters are a browser's matter.
    for (attempt, twin) in ATTEMPTS.iter().filter(|(attempt, _)| attempt.is_ascii()) {
        assert_refused(&web, &format!("https://{NAME}/to?{attempt}")).await;
        assert_eq!(web.names.dialled(), [PUBLIC_V4], "{attempt}");
        let outcome = web.get(&format!("https://{NAME}/to?{twin}")).await;
        assert_eq!(outcome.ok().as_deref(), Some(FILE), "{twin}");
        web.names.dialled();
    }
}

#[tokio::test]
async fn no_other_scheme_is_followed_not_even_by_redirect() {
    let web = web().await;
    for attempt in [
        "file:///etc/passwd",
        "ftp://files.example/",
        "gopher://127.0.0.1:6379/_INFO",
        "data:image/png;base64,AA==",
        "ws://files.example/",
        "unix:/var/run/docker.sock",
        "files.example/a.png",
        "https://",
        "https:///",
        "",
        "not a URL",
    ] {
        assert_refused(&web, attempt).await;
        if attempt.contains(':') {
            assert_refused(&web, &format!("https://{NAME}/to?{attempt}")).await;
        }
    }
}

#[tokio::test]
async fn a_name_with_any_inner_address_is_refused() {
    let web = web().await;
    for forbidden in FORBIDDEN {
        let lists: [&[&str]; 4] = [
            &[forbidden],
            &[forbidden, PUBLIC_V4],
            &[PUBLIC_V4, forbidden],
            &[PUBLIC_V6, forbidden],
        ];
        for answer in lists {
            web.names.say(NAME, &[answer]);
            assert_refused(&web, &format!("https://{NAME}/")).await;
            assert_eq!(web.names.dialled(), [""; 0], "{answer:?}");
        }
        web.names.say(NAME, &[&[PUBLIC_V4, PUBLIC_V6]]);
        assert_eq!(web.get(&format!("https://{NAME}/")).await.ok().as_deref(), Some(FILE));
        assert_eq!(web.names.dialled(), [PUBLIC_V4]);
    }
    web.names.say(NAME, &[&[]]);
    assert_refused(&web, &format!("https://{NAME}/")).await;
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_each_request_and_the_checked_address_is_the_one() {
    let web = web().await;
    let url = format!("https://{NAME}/");
    for forbidden in FORBIDDEN {
        // The second look-up, which a careless fetcher makes when it connects, would lead inside.
        web.names.say(NAME, &[&[PUBLIC_V4], &[forbidden]]);
        web.names.looked_up();
        assert_eq!(web.get(&url).await.ok().as_deref(), Some(FILE), "{forbidden}");
        assert_eq!(web.names.looked_up(), [NAME]);
        assert_eq!(web.names.dialled(), [PUBLIC_V4]);
        // The next request looks up again, and meets it.
        assert_refused(&web, &url).await;
        assert_eq!(web.names.dialled(), [""; 0]);
        // So does a redirect from the name to itself.
        web.names.say(NAME, &[&[PUBLIC_V4], &[forbidden]]);
        assert_refused(&web, &format!("https://{NAME}/to?/file")).await;
        assert_eq!(web.names.dialled(), [PUBLIC_V4]);
        // And the way out again is free.
        web.names.say(NAME, &[&[forbidden], &[PUBLIC_V4]]);
        assert_refused(&web, &url).await;
        assert_eq!(web.get(&url).await.ok().as_deref(), Some(FILE), "{forbidden}");
        web.names.dialled();
    }
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_no_further() {
    let web = web().await;
    let chain = |count: usize| format!("https://{NAME}{}/file", "/to?".repeat(count));
    let outcome = web.get(&chain(5)).await;
    assert_eq!(outcome.ok().as_deref(), Some(FILE));
    let outcome = web.get(&chain(6)).await;
    assert!(matches!(outcome, Err(Error::TooManyRedirects { limit: 5 })), "{outcome:?}");
}

#[tokio::test]
async fn nothing_is_sent_but_what_http_needs_and_the_user_agent() {
    let web = web().await;
    web.get(&format!("https://{NAME}:8443/to?/file?a=b%20c")).await.unwrap();
    let head = |path: &str| {
        let agent = concat!("fal-mcp-gateway/", env!("CARGO_PKG_VERSION"));
        format!(
            "GET {path} HTTP/1.1\r\nhost: {NAME}:8443\r\nuser-agent: {agent}\r\naccept: */*\r\n\
             accept-encoding: identity\r\nconnection: close\r\n\r\n"
        )
    };
    assert_eq!(web.server.heads(), [head("/to?/file?a=b%20c"), head("/file?a=b%20c")]);
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused() {
    let web = web().await;
    web.names.say("other.example", &[&[PUBLIC_V4]]);
    let outcome = web.get("https://other.example/").await;
    assert!(matches!(outcome, Err(Error::NotConnected { .. })), "{outcome:?}");
    assert!(web.server.heads().is_empty(), "something was sent");
}

#[tokio::test]
async fn no_error_tells_what_is_inside() {
    let web = web().await;
    let mut texts = Vec::new();
    for url in ["https://127.0.0.1/", "https://10.0.0.1:1/", "https://no-such-name.example/"] {
        let error = web.get(url).await.unwrap_err();
        assert!(std::error::Error::source(&error).is_none());
        texts.push(format!("{error} {error:?}"));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("not allowed"));
}

#[tokio::test]
async fn opening_private_addresses_opens_nothing_else() {
    let server = Server::start(|_| vec![answer("200 OK", "", FILE)], None).await;
    let plain = fetch::Config { allow_private: true, ..crate::support::config() };
    let fetcher = fetch::Fetcher::new(plain).unwrap();
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost", "2130706433"] {
        let file = whole(&fetcher, &format!("http://{host}:{port}/"), limits()).await;
        assert_eq!(file.ok().as_deref(), Some(FILE), "{host}");
    }

    let web = Web::start(true).await;
    web.names.say("inner.example", &[&["10.0.0.5"]]);
    web.names.say("mixed.example", &[&["10.0.0.5", PUBLIC_V4]]);
    for refused in [
        "http://files.example/",
        "http://mixed.example/",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://100.100.100.200/",
        "https://168.63.129.16/",
        "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://user:secret@127.0.0.1/",
        "ftp://127.0.0.1/",
    ] {
        assert_refused(&web, refused).await;
        assert_refused(&web, &format!("https://{NAME}/to?{refused}")).await;
    }
    assert_eq!(web.get(&format!("https://{NAME}/")).await.ok().as_deref(), Some(FILE));
}
