// Package markdowntest reads Markdown as GitHub does, for tests to see that a report is
// what it may be.
package markdowntest

// Hostile are texts that try to be something on GitHub, and seeds of all fuzzing.
var Hostile = []string{
	"", " ", "  x  ", "plain words, nothing else.", "don't panic (at all)",
	"<!-- gitops:marker -->", "<<!-- x -->", "</details></details>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
	"```\nout of the fence\n```", "~~~\nx", "`", "``", "` `` ```", "a`b", "`x`", " ` ", "\\`", "`````````````````",
	"@octocat", "@github/everyone", "see @octocat.", "x@example.com", "mailto:x@example.com", "&#64;octocat", "\\@octocat",
	"#1", "GH-1", "gh-1", "owner/repo#1", "owner/repo@4f1c2d9a", "4f1c2d9a", "4f1c2d9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "defaced", "1234567",
	"https://example.com/x", "https://github.com/acme/infra/actions/runs/1>x", "[GITOPS-X]", "[GITOPS-X]: /y", "[GITOPS-X](/y)", "http://a.b", "ftp://a.b", "www.example.com", "<https://example.com>",
	"![i](https://example.com/i.png)", "[l](https://example.com)", "[^1]", "[^1]: note", "[x]: /y", "[ ] todo", "[!CAUTION]", "> [!NOTE]\n> x",
	"# heading", "heading\n===", "heading\n---", "---", "***", "* item", "- item", "+ item", "1. item", "1) item", "12.", "(3)", "\tindented", "    indented",
	":+1:", ":tada:", "$x$", "$$x$$", "a | b", "|", "\\|", "\\\\|", "a\\|b\\", "|---|", "| a |\n| - |\n| b |", "~~x~~", "**b** _i_", "~x~",
	"a\nb", "a\r\nb", "a\r", "a\x00b", "\x1b[31mred\x1b[0m", "::error::x", "\u202eevil", "\u2066x\u2069", "zero\u200bwidth", "\ufeffbom", "\u00a0", "\u2028", "\U000e0041", "v\ufe0f", "\u034f",
	"\xff\xfe", "\xc3", "a\xe2\x80", "日本語 テキスト", "naïve café", "🙂", "é́́́", "\u3164", "\\", "a\\", "&amp;", "&lt;b&gt;", "&#x60;", "{{ x }}", "${x}", "%0A",
}
