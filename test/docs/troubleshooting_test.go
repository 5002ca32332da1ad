package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const codesFile = "shared/problem/codes.go"

// TestEveryCodeIsExplained compares the codes of errors with the sections of docs/troubleshooting.md,
// in order, and checks that each section has all parts.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	_, codes := codes(t)
	text := read(t, "docs/troubleshooting.md")
	var explained []string
	for _, section := range strings.Split(text, "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		explained = append(explained, title)
		for _, part := range []string{"**What it means.** ", "**What to do.** "} {
			if strings.Count(body, "\n"+part) != 1 {
				t.Errorf("%s: has no paragraph %q", title, part)
			}
		}
	}
	if diff := cmp.Diff(codes, explained); diff != "" {
		t.Errorf("codes in %s and sections of docs/troubleshooting.md (-codes +sections):\n%s", codesFile, diff)
	}
}

// TestEveryCodeIsGiven checks that each code is used for an error.
func TestEveryCodeIsGiven(t *testing.T) {
	t.Parallel()
	names, _ := codes(t)
	unused := map[string]bool{}
	for _, name := range names {
		unused[name] = true
	}
	used := regexp.MustCompile(`\bproblem\.([A-Z]\w+)`)
	for _, dir := range []string{"shared", "actions"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, found := range used.FindAllStringSubmatch(readPath(t, path), -1) {
				delete(unused, found[1])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(unused) > 0 {
		t.Errorf("no error has the codes %s", strings.Join(slices.Sorted(maps.Keys(unused)), ", "))
	}
}

// TestDocumentedCodesExist checks that pages name only codes that exist.
func TestDocumentedCodesExist(t *testing.T) {
	t.Parallel()
	_, codes := codes(t)
	named := regexp.MustCompile(`GITOPS-[A-Z][A-Z-]*[A-Z]`)
	for _, file := range pages(t) {
		for _, code := range named.FindAllString(read(t, file), -1) {
			if !slices.Contains(codes, code) {
				t.Errorf("%s names %s, which is no code", file, code)
			}
		}
	}
}

// codes returns the names and values of the constants in package problem.
func codes(t *testing.T) (names, texts []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, codesFile), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		constant, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		names, texts = append(names, constant.Names[0].Name), append(texts, text)
		return false
	})
	if len(names) < 30 {
		t.Fatalf("only %d codes were found in %s", len(names), codesFile)
	}
	return names, texts
}
