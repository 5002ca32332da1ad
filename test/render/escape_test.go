package render

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// golden returns the reports in package report's golden files, by file name.
func golden(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), "shared/report/testdata/*.md"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d golden files (%v)", len(files), err)
	}
	all := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".md")] = string(content)
	}
	return all
}

// Links in a report lead to runs, to issues, and to the explanations of codes.
var ourLink = regexp.MustCompile(`^https://github\.com/acme/infra(structure)?/(actions/runs/[0-9]+(/attempts/[0-9]+)?|issues/[0-9]+)$|^` + regexp.QuoteMeta(problem.Code("").URL()) + `[a-z-]+$`)

// nothingEscapes checks texts in the browser. comments is the number of our hidden comments in each.
func nothingEscapes(t *testing.T, texts map[string]string, comments int) {
	t.Helper()
	v, err := look(t.Context(), root(t), texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Articles {
		for _, p := range s.Problems {
			t.Errorf("%s: %s", s.Name, p)
		}
		for _, l := range s.Links {
			if !ourLink.MatchString(l) {
				t.Errorf("%s: a link to %s", s.Name, l)
			}
		}
		if len(s.Comments) != comments {
			t.Errorf("%s: %d hidden comments, want %d: %q", s.Name, len(s.Comments), comments, s.Comments)
		}
		if !s.Clean {
			t.Errorf("%s: the sanitiser takes something away", s.Name)
		}
	}
	if len(v.Ran) > 0 || len(v.Fetched) > 0 {
		t.Errorf("the page ran %q, and fetched %q", v.Ran, v.Fetched)
	}
}

func TestNothingEscapesFromReports(t *testing.T) {
	t.Parallel()
	nothingEscapes(t, golden(t), 0)
}

func TestNothingEscapesFromHostileReports(t *testing.T) {
	t.Parallel()
	all := hostileReports(t)
	// Each chunk makes a page that the browser can load in a second or two.
	for names := range slices.Chunk(slices.Sorted(maps.Keys(all)), 200) {
		some := map[string]string{}
		for _, name := range names {
			some[name] = all[name]
		}
		nothingEscapes(t, some, 0)
	}
}
