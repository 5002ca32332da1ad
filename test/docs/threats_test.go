package docs

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const threatsFile = "docs/threats.md"

// row is a row of a table of docs/threats.md that names its tests in the last cell.
type row struct {
	title string
	tests [][]string // the whole link, its text, and where it leads
}

var testLink = regexp.MustCompile("\\[`([^`]+)`\\]\\(([^)]+)\\)")

// threats returns the rows of all tables whose last column is "test".
func threats(t *testing.T) (rows []row) {
	t.Helper()
	named := false
	for _, line := range strings.Split(read(t, threatsFile), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		switch {
		case !strings.HasPrefix(line, "|"):
			named = false
		case strings.HasPrefix(line, "|---"):
		case strings.HasSuffix(line, "| test |"):
			named = true
		case named:
			rows = append(rows, row{strings.TrimSpace(cells[0]), testLink.FindAllStringSubmatch(cells[len(cells)-1], -1)})
		}
	}
	if len(rows) < 40 {
		t.Fatalf("only %d rows were found", len(rows))
	}
	return rows
}

// TestEachThreatNamesItsTest checks that each threat has a test: a Go function, a story's file, or a
// run of a module's test.
func TestEachThreatNamesItsTest(t *testing.T) {
	t.Parallel()
	for _, r := range threats(t) {
		if len(r.tests) == 0 {
			t.Errorf("%q names no test", r.title)
		}
		for _, link := range r.tests {
			name, file := link[1], path.Join(path.Dir(threatsFile), link[2])
			there := false
			switch {
			case strings.HasSuffix(file, "_test.go"):
				there = strings.Contains(read(t, file), "\nfunc "+name+"(t *testing.T) {") || strings.Contains(read(t, file), "\nfunc "+name+"(f *testing.F) {")
			case strings.HasSuffix(file, ".tftest.hcl"):
				there = strings.Contains(read(t, file), "\nrun \""+name+"\" {")
			case strings.HasSuffix(file, ".txtar"):
				there = strings.TrimSuffix(filepath.Base(file), ".txtar") == name && strings.Contains(read(t, file), "action ")
			}
			if !there {
				t.Errorf("%q: there is no test %s in %s", r.title, name, file)
			}
		}
	}
}

// bullet is an item of a list, with the lines that go on.
var bullet = regexp.MustCompile(`(?m)^- .*(?:\n  .*)*`)

// TestEachPromiseIsTested compares docs/threats.md with the promises: the README's lists of what the
// actions do and never do, and the "can't" sentences of SECURITY.md. Each has a row that quotes it,
// and each quote is one of them.
func TestEachPromiseIsTested(t *testing.T) {
	t.Parallel()
	one := func(text string) string { return strings.Join(strings.Fields(strings.ReplaceAll(text, "**", "")), " ") }
	readme, security := read(t, "README.md"), read(t, "SECURITY.md")
	both := one(readme) + " " + one(security)
	var quotes []string
	_, promises, _ := strings.Cut(read(t, threatsFile), "\n## Promises\n")
	for _, line := range strings.Split(promises, "\n") {
		quote, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !ok || quote == "promise" {
			continue
		}
		quotes = append(quotes, quote)
		if !strings.Contains(both, quote) {
			t.Errorf("neither README.md nor SECURITY.md says %q", quote)
		}
	}
	quoted := func(where, promise string) {
		for _, quote := range quotes {
			if strings.Contains(one(promise), quote) {
				return
			}
		}
		t.Errorf("%s promises this, and %s does not say which test shows it: %s", where, threatsFile, one(promise))
	}
	head, _, _ := strings.Cut(readme, "\n## ")
	_, rest, _ := strings.Cut(readme, "\n## Security\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	for _, item := range append(bullet.FindAllString(head, -1), bullet.FindAllString(rest, -1)...) {
		if !strings.Contains(item, "[SECURITY.md]") && !strings.Contains(item, "(docs/threats.md)") {
			quoted("README.md", item)
		}
	}
	never := 0
	for _, sentence := range strings.SplitAfter(one(head), ". ") {
		if strings.HasPrefix(sentence, "It never ") {
			never++
			for part := range strings.SplitSeq(sentence, ",") {
				quoted("README.md", part)
			}
		}
	}
	if never == 0 {
		t.Error("README.md does not say what it never does")
	}
	for _, sentence := range strings.SplitAfter(one(security), ". ") {
		if strings.HasPrefix(sentence, "It can't ") {
			quoted("SECURITY.md", sentence)
		}
	}
}
