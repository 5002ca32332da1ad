package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/markdown/markdowntest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	reports := map[string]func(int) string{}
	for name, p := range planCases() {
		reports[name] = p.Markdown
	}
	for name, a := range applyCases() {
		reports[name] = a.Markdown
	}
	for name, d := range driftCases() {
		reports[name] = d.Section
		if d.Component != "" {
			reports[name] = d.Markdown
		}
	}
	for name, m := range manyCases(t) {
		reports[name] = func(limit int) string { return markdownOf(t, m, limit) }
	}
	for name, render := range reports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := markdown.SummaryLimit
			if l, ok := caseLimits[name]; ok {
				limit = l
			}
			got := render(limit)
			markdowntest.Check(t, got)
			file := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s differs; -update rewrites it, for you to read (-want +got):\n%s", file, diff)
			}
		})
	}
}
