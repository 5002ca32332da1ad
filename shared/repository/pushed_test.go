package repository_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/repository"
)

func TestWhatAPushAddedToABranch(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	o.git("checkout", "--quiet", "-b", "another", o.mergeOfAll)
	more := o.commit(map[string]string{"components/cluster/main.tf": "# 3"})
	o.git("checkout", "--quiet", "merge")
	o.git("merge", "--quiet", "--no-ff", "-m", "Merge", more)
	last := o.git("rev-parse", "HEAD")

	for name, c := range map[string]struct {
		flags  []string
		before string
		want   []string
	}{
		"two merges, without what they brought": {nil, o.main, []string{last, o.mergeOfAll}},
		"one":                                   {nil, o.mergeOfAll, []string{last}},
		"a history that is too short":           {[]string{"--depth=1"}, o.main, []string{last}},
		"a new branch":                          {nil, strings.Repeat("0", 40), []string{last}},
		"a commit that is no more":              {nil, strings.Repeat("ab", 20), []string{last}},
	} {
		w := o.clone("merge", repository.Inputs{}, c.flags...)
		if got := w.Pushed(t.Context(), c.before, last); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
