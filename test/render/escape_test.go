package render

import (
	"os"
	"path/filepath"
	"regexp"
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

// What the actions write for people, all on one page, since a start of Node.js and Chromium takes longer than most texts do.
func TestNothingEscapes(t *testing.T) {
	t.Parallel()
	all, comments := map[string]string{}, map[string]int{}
	add := func(hidden int, texts map[string]string) {
		for name, text := range texts {
			if _, taken := all[name]; taken {
				t.Errorf("two texts are named %s", name)
			}
			all[name], comments[name] = text, hidden
		}
	}
	add(0, golden(t))
	add(0, hostileReports(t))
	add(4, driftIssues(t)) // the target, the plan, and where our section begins and ends
	for hidden, texts := range written(t) {
		if len(texts) < 2 {
			t.Errorf("%d texts of %d hidden lines", len(texts), hidden)
		}
		add(hidden, texts)
	}
	if t.Failed() {
		return
	}
	v, err := look(t.Context(), root(t), all)
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
		if len(s.Comments) != comments[s.Name] {
			t.Errorf("%s: %d hidden comments, want %d: %q", s.Name, len(s.Comments), comments[s.Name], s.Comments)
		}
		if !s.Clean {
			t.Errorf("%s: the sanitiser takes something away", s.Name)
		}
	}
	if len(v.Ran) > 0 || len(v.Fetched) > 0 {
		t.Errorf("the page ran %q, and fetched %q", v.Ran, v.Fetched)
	}
}
