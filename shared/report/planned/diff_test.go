package planned

import (
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
)

func quote(s string) changes.Value {
	return changes.Value{Kind: changes.Known, Text: s, String: true}
}
func literal(s string) changes.Value { return changes.Value{Kind: changes.Known, Text: s} }

func TestHostileJSONStaysOnOneLine(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"deep":    strings.Repeat("[", 5000) + strings.Repeat("]", 5000), // 50 MB when indented
		"large":   "[" + strings.Repeat("1,", maxJSON) + "1]",
		"invalid": `{"a":1`,
		"empty":   "[]",
	} {
		if got, ok := indent(s); ok {
			t.Errorf("%s: indented to %d bytes", name, len(got))
		}
	}
}

func TestAChangeInALongValueIsShown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		from, to changes.Value
		lines    []string
	}{
		"at the end":     {quote(strings.Repeat("é", 5000) + "old"), quote(strings.Repeat("é", 5000) + "new"), []string{`ééold"`, `éénew"`}},
		"at the start":   {quote("old" + strings.Repeat("é", 5000)), quote("new" + strings.Repeat("é", 5000)), []string{`"oldéé`, `"newéé`}},
		"in the middle":  {literal("1" + strings.Repeat("0", 3000) + "1" + strings.Repeat("0", 3000)), literal("1" + strings.Repeat("0", 3000) + "2" + strings.Repeat("0", 3000)), []string{"0001000", "0002000"}},
		"between runes":  {quote(strings.Repeat("x", 300) + "é" + strings.Repeat("y", 300)), quote(strings.Repeat("x", 300) + "è" + strings.Repeat("y", 300)), []string{"xéy", "xèy"}},
		"in one of many": {quote(strings.Repeat("line\n", 900) + "old\n"), quote(strings.Repeat("line\n", 900) + "new\n"), []string{"-   old\n", "+   new\n"}},
		"past the cut":   {changes.Value{Kind: changes.Known, Text: "x", String: true, Cut: 9}, changes.Value{Kind: changes.Known, Text: "x", String: true, Cut: 8}, []string{"(9 bytes more)", "(8 bytes more)", "differs further on"}},
		"in its kind":    {quote("1"), literal("1"), []string{`"1" → 1`}},
		"the newline":    {quote("a\nb\n"), quote("a\nb"), []string{"no newline at the end"}},
	} {
		got := string(appendChange(nil, "name", want.from, want.to, ""))
		for _, line := range want.lines {
			if !strings.Contains(got, line) {
				t.Errorf("%s: no %q in:\n%s", name, line, got)
			}
		}
		if len(got) > 5000 {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}
