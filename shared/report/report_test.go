package report

import (
	"flag"
	"fmt"
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

func TestTheCommentOnAMergeFitsItsLimit(t *testing.T) {
	t.Parallel()
	m := Merged{RunURL: "https://github.com/acme/infra/actions/runs/1", Workflow: "https://github.com/acme/infra/actions/workflows/plan-merged.yml"}
	for i := range 2000 {
		m.Targets = append(m.Targets, MergedTarget{Component: fmt.Sprint("component-", i), Stack: "`</details>\n@octocat", Fate: fates[i%len(fates)], Note: strings.Repeat("| why\n", 50)})
	}
	for _, limit := range []int{markdown.CommentLimit, 8 << 10, 1 << 10} {
		text := m.Markdown(limit)
		if len(text) > limit || !strings.HasPrefix(text, "## ❌ Not applied: 1,000 of 2,000 targets") {
			t.Errorf("limit %d: %d bytes: %.200s", limit, len(text), text)
		}
		if limit == markdown.CommentLimit && !strings.Contains(text, "failed") {
			t.Error("it names no failed target")
		}
	}
}
