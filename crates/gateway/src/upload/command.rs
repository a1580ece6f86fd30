//! The commands that send a file from the caller's machine straight to fal.
//!
//! They are made to be run as they stand, and a file's name may be an attacker's. So every text is
//! quoted so that the shell takes it for nothing but text, the path never stands where curl or dd
//! would read an option, `-` or `@` into it, and curl's own patterns are off.

use fal::{PART_BYTES, Upload};

/// The same upload for two shells.
#[derive(Debug)]
pub(crate) struct Commands {
    /// For any POSIX shell, with curl.
    pub(crate) posix: String,
    /// For `PowerShell`, with nothing else.
    pub(crate) powershell: String,
}

/// Sends the file in one piece.
pub(crate) fn single(upload: &Upload, content_type: &str, path: &str) -> Commands {
    let url = upload.upload_url.as_str();
    let header = posix(&format!("Content-Type: {content_type}"));
    let (file, target) = (posix_path(path), posix(url));
    Commands {
        posix: format!("curl -fgsS -H {header} -T {file} {target}"),
        powershell: format!(
            "Invoke-RestMethod -Method Put -Uri {} -ContentType {} -InFile ([WildcardPattern]::Escape((Resolve-Path -LiteralPath {}).ProviderPath))",
            powershell(url),
            powershell(content_type),
            powershell(path),
        ),
    }
}

/// Sends the file in parts, one after the other, and puts them together.
pub(crate) fn multipart(upload: &Upload, path: &str) -> Commands {
    let query = upload.upload_url.query().unwrap_or_default();
    let mut url = upload.upload_url.clone();
    url.set_query(None);
    let url = url.as_str();
    let (posix_file, posix_url, posix_query) = (posix_path(path), posix(url), posix(query));
    let (file, target, search) = (powershell(path), powershell(url), powershell(query));
    Commands {
        // A subshell, so that `exit` ends the upload and not the user's shell. An etag is a JSON
        // text, which is passed on as it came.
        posix: format!(
            r#"(
file={posix_file}
url={posix_url}
query={posix_query}
size=$(wc -c < "$file") || exit 1
part=1
parts=
while [ $(((part - 1) * {PART_BYTES})) -lt $((size)) ]; do
  etag=$(dd if="$file" bs={PART_BYTES} skip=$((part - 1)) count=1 2>/dev/null |
    curl -fgsS --retry 3 -X PUT -H 'Content-Type:' --data-binary @- "$url/$part?$query" |
    tr -d '\r\n' |
    sed -n 's/.*"etag"[[:space:]]*:[[:space:]]*\("[^"\]*\(\\.[^"\]*\)*"\).*/\1/p')
  [ -n "$etag" ] || {{ echo "part $part was not taken" >&2; exit 1; }}
  parts="$parts${{parts:+,}}{{\"partNumber\":$part,\"etag\":$etag}}"
  part=$((part + 1))
done
curl -fgsS -H 'Content-Type: application/json' --data-binary "{{\"parts\":[$parts]}}" "$url/complete?$query"
)"#
        ),
        powershell: format!(
            r#"& {{
$ErrorActionPreference = 'Stop'
$url = {target}
$query = {search}
$file = [IO.File]::OpenRead((Resolve-Path -LiteralPath {file}).ProviderPath)
try {{
  $buffer = New-Object byte[] {PART_BYTES}
  $parts = @()
  while ($true) {{
    $length = 0
    while ($length -lt $buffer.Length -and ($read = $file.Read($buffer, $length, $buffer.Length - $length)) -gt 0) {{ $length += $read }}
    if ($length -eq 0) {{ break }}
    $part = New-Object byte[] $length
    [Array]::Copy($buffer, $part, $length)
    $number = $parts.Count + 1
    $answer = Invoke-RestMethod -Method Put -Uri "$url/${{number}}?$query" -Body $part
    $parts += @{{ partNumber = $number; etag = $answer.etag }}
  }}
}} finally {{ $file.Dispose() }}
Invoke-RestMethod -Method Post -Uri "$url/complete?$query" -ContentType 'application/json' -Body (ConvertTo-Json @{{ parts = $parts }} -Depth 3 -Compress)
}}"#
        ),
    }
}

/// One word of a POSIX shell: between single quotes nothing is special but the quote itself.
fn posix(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A file as one word that begins neither like an option nor like anything that curl knows.
fn posix_path(path: &str) -> String {
    if let Some(below_home) = path.strip_prefix("~/") {
        return format!("\"$HOME\"/{}", posix(below_home));
    }
    let drive = path.get(1..3).is_some_and(|rest| matches!(rest, ":\\" | ":/"));
    if path.starts_with('/') || drive { posix(path) } else { posix(&format!("./{path}")) }
}

/// One literal string of `PowerShell`, which takes typographic quotes for quotes too. A quote that
/// is doubled stands for itself.
fn powershell(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201B}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> Upload {
        let file_url = "https://v3b.fal.media/files/b/0aac27e0/x_it's.png";
        Upload {
            upload_url: format!("{file_url}?expires=900&signature=a'b$(c)").parse().unwrap(),
            file_url: file_url.parse().unwrap(),
        }
    }

    #[test]
    fn a_file_in_one_piece_is_one_line_for_each_shell() {
        let commands = single(&upload(), "image/png", "my cat.png");
        assert_eq!(
            commands.posix,
            r"curl -fgsS -H 'Content-Type: image/png' -T './my cat.png' 'https://v3b.fal.media/files/b/0aac27e0/x_it'\''s.png?expires=900&signature=a%27b$(c)'"
        );
        assert_eq!(
            commands.powershell,
            "Invoke-RestMethod -Method Put -Uri 'https://v3b.fal.media/files/b/0aac27e0/x_it''s.png?expires=900&signature=a%27b$(c)' -ContentType 'image/png' -InFile ([WildcardPattern]::Escape((Resolve-Path -LiteralPath 'my cat.png').ProviderPath))"
        );
    }

    #[test]
    fn a_path_is_one_word_that_begins_harmlessly() {
        for (path, word) in [
            ("a.png", "'./a.png'"),
            ("-", "'./-'"),
            ("-o/tmp/x", "'./-o/tmp/x'"),
            ("@a", "'./@a'"),
            ("it's", r"'./it'\''s'"),
            ("$(reboot) `x` \"y\" \\z\n!!", "'./$(reboot) `x` \"y\" \\z\n!!'"),
            ("/tmp/a b.png", "'/tmp/a b.png'"),
            ("~/a'b.png", r#""$HOME"/'a'\''b.png'"#),
            ("~user/a", "'./~user/a'"),
            (r"C:\a b\c.png", r"'C:\a b\c.png'"),
        ] {
            assert_eq!(posix_path(path), word, "{path}");
        }
    }

    #[test]
    fn powershell_s_quotes_are_doubled_the_typographic_ones_too() {
        for (text, literal) in [
            ("a b", "'a b'"),
            ("it's", "'it''s'"),
            (
                "\u{2018}\u{2019}\u{201A}\u{201B}",
                "'\u{2018}\u{2018}\u{2019}\u{2019}\u{201A}\u{201A}\u{201B}\u{201B}'",
            ),
            ("$(x) `n \"y\"\n; rm", "'$(x) `n \"y\"\n; rm'"),
        ] {
            assert_eq!(powershell(text), literal, "{text}");
        }
    }

    #[test]
    fn in_parts_the_same_words_stand_in_a_script() {
        let commands = multipart(&upload(), "it's.mp4");
        for line in [
            r"file='./it'\''s.mp4'",
            r"url='https://v3b.fal.media/files/b/0aac27e0/x_it'\''s.png'",
            "query='expires=900&signature=a%27b$(c)'",
        ] {
            assert!(commands.posix.lines().any(|other| other == line), "{}", commands.posix);
        }
        for part in [
            "-LiteralPath 'it''s.mp4')",
            "$url = 'https://v3b.fal.media/files/b/0aac27e0/x_it''s.png'\n",
            "$query = 'expires=900&signature=a%27b$(c)'\n",
            "byte[] 10485760\n",
        ] {
            assert!(commands.powershell.contains(part), "{}", commands.powershell);
        }
    }
}
