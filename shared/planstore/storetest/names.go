package storetest

import "strings"

// AwkwardNames are names that people have, or that try to get somewhere.
var AwkwardNames = []string{
	"vpc", "VPC", "Vpc", "vPC", "!vpc", "vpc!",
	"a/b", "a-b", "a_b", "a.b", "a\\b", "a b", "a#b", "a%b", "a%2Fb", "a%2fb", "a!b", "a~b", "a:b", "a+b", "a|b", "a?b", "a*b",
	".", "..", "...", "../..", "../../../../etc/passwd", "/", "//", "/a", "a/", "a//b", "./a", "a/.", "a/..", ".a", "a.", "%2E", "%2e.",
	"#", "##", "a#", "#a", "a#b#c", "b#c", "claim#a", "last",
	"%", "%%", "%25", "~", "-", "_", " ", "  ", "con", "nul.txt",
	"é", "e\u0301", "ß", "ss", "İ", "i", "K", "k", "ſ", "s", "日本語", "🚀", "\u202e", "\u200b", "\u200b\u200b", "\ufeff",
	strings.Repeat("a", 120), strings.Repeat("a", 121), strings.Repeat("a", 200), strings.Repeat("a", 201),
	strings.Repeat("A", 60), strings.Repeat("A", 61), strings.Repeat("A", 200), strings.Repeat("a", 199) + "A",
	strings.Repeat("日", 200), strings.Repeat("../", 66), strings.Repeat("%", 200), strings.Repeat("a", 50) + "~" + strings.Repeat("0", 64),
}
