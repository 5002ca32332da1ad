package repository_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
)

const (
	rego    = "package main\n\ndeny contains \"no\" if false\n"
	library = "package lib\n"
)

func paths(set policy.Set) string {
	var all []string
	for _, f := range set {
		all = append(all, f.Path)
	}
	return strings.Join(all, " ")
}

func link(t *testing.T, root, name, to string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
		t.Fatal(err)
	}
}

func TestWhichPoliciesHold(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"gitops.yaml":     twoComponents,
		"policies/a.rego": rego, "policies/aws/b.rego": "# b\n  package main # all\n", "policies/lib/lib.rego": library, "policies/a_test.rego": rego,
		"policies/limits.yaml": "", "policies/.hidden.yaml": "", "policies/.github/x.json": "", "policies/x.json": "{}", "policies/README.md": "",
		".org/deny.rego": rego, ".org/data.yml": "",
		"components/network/own.rego": rego, "components/network/main.tf": "",
		"iam/policy.json":    "{}",
		"tested/a_test.rego": rego, "tests/a_test.rego": "package main_test\n",
		"bom/a.rego": rego, "bom/b.rego": "\ufeff" + rego,
		"quoted/a.rego": rego, "quoted/lib.rego": "package lib\n\nexample := `\npackage main\n`\n",
	}
	for name, c := range map[string]struct {
		settings inventory.Policy
		want     string
	}{
		"by default":                      {inventory.Policy{}, "policies/a.rego policies/a_test.rego policies/aws/b.rego policies/lib/lib.rego policies/limits.yaml policies/x.json"},
		"in two places":                   {inventory.Policy{Path: []string{"/.org/", "policies/aws"}}, ".org/data.yml .org/deny.rego policies/aws/b.rego"},
		"by a glob":                       {inventory.Policy{Path: []string{"{.org,components,policies}/**/*.rego"}}, ".org/deny.rego components/network/own.rego policies/a.rego policies/a_test.rego policies/aws/b.rego policies/lib/lib.rego"},
		"by globs":                        {inventory.Policy{Path: []string{"pol*/*.rego", "policies/*.y{,a}ml"}}, "policies/a.rego policies/a_test.rego policies/limits.yaml"},
		"in some folders":                 {inventory.Policy{Path: []string{"components/*", "pol*/a?s"}}, "components/network/own.rego policies/aws/b.rego"},
		"one file":                        {inventory.Policy{Path: []string{"policies/a.rego"}}, "policies/a.rego"},
		"twice":                           {inventory.Policy{Path: []string{"policies/aws", "policies/aws/b.rego"}}, "policies/aws/b.rego"},
		"included":                        {inventory.Policy{Include: []string{"aws/**"}}, "policies/a_test.rego policies/aws/b.rego policies/lib/lib.rego policies/limits.yaml policies/x.json"},
		"excluded":                        {inventory.Policy{Exclude: []string{"/policies/aws", "lib.rego", "limits.yaml"}}, "policies/a.rego policies/a_test.rego policies/lib/lib.rego policies/limits.yaml policies/x.json"},
		"only rules in a test":            {inventory.Policy{Path: []string{"tested"}}, "tested/a_test.rego"},
		"only tests":                      {inventory.Policy{Path: []string{"tests"}}, "policy.path, `tests`, has no policy (.rego)"},
		"switched off":                    {inventory.Policy{Path: []string{}}, ""},
		"all excluded":                    {inventory.Policy{Exclude: []string{"*.rego"}}, ""},
		"with a byte order mark":          {inventory.Policy{Path: []string{"bom"}, Exclude: []string{"a.rego"}}, "bom/b.rego"},
		"a library that quotes a package": {inventory.Policy{Path: []string{"quoted"}, Exclude: []string{"lib.rego"}}, "quoted/a.rego quoted/lib.rego"},
		"nothing there":                   {inventory.Policy{Path: []string{"policies", "rules"}}, "policy.path, `rules`, matches no policy"},
		"a glob of nothing":               {inventory.Policy{Path: []string{"rules/*.rego"}}, "policy.path, `rules/*.rego`, matches no policy"},
		"only data":                       {inventory.Policy{Path: []string{"iam"}}, "policy.path, `iam`, has no policy (.rego)"},
		"nothing included":                {inventory.Policy{Include: []string{"a.rego", "prod/**"}}, "policy.include, `prod/**`, matches no .rego file of package main"},
		"a library included":              {inventory.Policy{Include: []string{"lib.rego"}}, "policy.include, `lib.rego`, matches no .rego file of package main"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := gittest.Repository(t, files)
			set, err := open(t, root, t.TempDir(), repository.Inputs{}, t.Output()).Policies(t.Context(), inventory.Name{}, c.settings)
			got := paths(set)
			if err != nil {
				got = err.Error()
			}
			if got != c.want && (err == nil || !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") || problem.CodeOf(err) != problem.Config) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A person sees which line of gitops.yaml to correct, also for a value with the target's names in it.
func TestASettingThatMatchesNoPolicyIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ settings, want string }{
		"path":                   {"policy: { path: [policies, rules] }", "gitops.yaml:1:28: `path[1]` under policy, `rules`, matches no policy (.rego)"},
		"path without rego":      {"policy: { path: [components] }", "gitops.yaml:1:18: `path[0]` under policy, `components`, has no policy (.rego)"},
		"include":                {"policy: { include: [a.rego] }\nstacks: { dev: { policy: { include: [\"{stack}/**\"] } } }", "gitops.yaml:2:38: `include[0]` under stacks.dev.policy, `dev/**`, matches no .rego file"},
		"include of a component": {"stacks: { dev: }\ncomponents: { network: { policy: { include: [b.rego] } } }", "gitops.yaml:2:46: `include[0]` under components.network.policy, `b.rego`, matches no .rego file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, part := range []string{"components: { network: }", "stacks: { dev: }"} {
				if key, _, _ := strings.Cut(part, ":"); !strings.Contains(c.settings, key+":") {
					c.settings += "\n" + part
				}
			}
			root := gittest.Repository(t, map[string]string{"gitops.yaml": c.settings, "policies/a.rego": rego, "components/network/main.tf": "", "components/network/x.yaml": ""})
			rp := open(t, root, t.TempDir(), repository.Inputs{}, t.Output())
			target, err := rp.Find(t.Context(), inventory.Name{Component: "network", Stack: "dev"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = rp.Policies(t.Context(), target.Name(), target.Settings.Policy)
			var placed problem.Placed
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || problem.CodeOf(err) != problem.Config || !errors.As(err, &placed) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestFilesKnowTheirFolderAndWhetherOthersAreLeftOut(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{"policies/a.rego": rego, "policies/aws/b.rego": rego, "policies/aws/lib.rego": library, "org/limits.yaml": ""})
	rp := open(t, root, t.TempDir(), repository.Inputs{}, t.Output())
	for _, exclude := range [][]string{nil, {"a.rego"}} {
		set, err := rp.Policies(t.Context(), inventory.Name{}, inventory.Policy{Path: []string{"policies", "org/*.yaml"}, Exclude: exclude})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range set {
			if want := strings.Split(f.Path, "/")[0]; f.Root != want || f.Spare != (exclude != nil) {
				t.Errorf("%+v", f)
			}
		}
	}
}

func TestAFolderOfOtherThingsIsNoPolicies(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{"no folder": {"a": ""}, "only JSON": {"policies/iam.json": "{}"}} {
		root := gittest.Repository(t, files)
		rp := open(t, root, t.TempDir(), repository.Inputs{}, t.Output())
		if set, err := rp.Policies(t.Context(), inventory.Name{}, inventory.Policy{}); len(set) > 0 || err != nil {
			t.Errorf("%s: %v, %v", name, set, err)
		}
		if _, err := rp.Policies(t.Context(), inventory.Name{}, inventory.Policy{Include: []string{"a.rego"}}); problem.CodeOf(err) != problem.Config {
			t.Errorf("%s: included: %v", name, err)
		}
	}
}

func TestAPolicyThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(t *testing.T, root string)
		want    string
	}{
		"left out": {func(t *testing.T, root string) {
			gittest.Run(t, root, "sparse-checkout", "set", "--no-cone", "/*", "!/policies/aws/")
		}, "the policy `policies/aws/b.rego` is in Git, and the sparse checkout leaves it out"},
		"all left out": {func(t *testing.T, root string) { gittest.Run(t, root, "sparse-checkout", "set", "components") }, "the policy `policies/a.rego` is in Git, and the sparse checkout leaves it out"},
		"data left out": {func(t *testing.T, root string) {
			gittest.Run(t, root, "sparse-checkout", "set", "--no-cone", "/*", "!/policies/limits.yaml")
		}, "the policy `policies/limits.yaml` is in Git"},
		"deleted": {func(t *testing.T, root string) {
			if err := os.Remove(filepath.Join(root, "policies/a.rego")); err != nil {
				t.Fatal(err)
			}
		}, "the policy `policies/a.rego` is in Git, and not in the workspace"},
		"a link that leads out":      {func(t *testing.T, root string) { link(t, root, "policies/z.rego", "/etc/passwd") }, "read the policies in `policies/z.rego`: it lies outside the checkout"},
		"a link to a folder outside": {func(t *testing.T, root string) { link(t, root, "policies/org", t.TempDir()) }, "read the policies in `policies/org`: it lies outside the checkout"},
		"a tracked link that leads nowhere": {func(t *testing.T, root string) {
			link(t, root, "policies/org", "../org-policies")
			gittest.Run(t, root, "add", "--all")
		}, "read the policies in `policies/org`"},
		"a folder that is a link to what is left out": {func(t *testing.T, root string) {
			gittest.Run(t, root, "mv", "policies", "rules")
			link(t, root, "policies", "rules")
			gittest.Run(t, root, "add", "--all")
			gittest.Run(t, root, "sparse-checkout", "set", "--no-cone", "/*", "!/rules/")
		}, "the policies in `policies` are in Git, and not in the workspace"},
		"a folder that is a link left out": {func(t *testing.T, root string) {
			gittest.Run(t, root, "mv", "policies", "rules")
			link(t, root, "policies", "rules")
			gittest.Run(t, root, "add", "--all")
			gittest.Run(t, root, "sparse-checkout", "set", "--no-cone", "/*", "!/policies")
		}, "the policies in `policies` are in Git, and not in the workspace"},
		"a folder that is a link into a submodule": {func(t *testing.T, root string) {
			gittest.Run(t, root, "rm", "--quiet", "-r", "policies")
			link(t, root, "policies", "org/policies")
			gittest.Run(t, root, "add", "--all")
			gittest.Run(t, root, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",org")
		}, "the policies in `policies` are in Git, and not in the workspace"},
		"a submodule": {func(t *testing.T, root string) {
			gittest.Run(t, root, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",policies/org")
		}, "policies in `policies` may be in the submodule `policies/org`, which is not checked out"},
		"too large": {func(t *testing.T, root string) {
			gittest.Write(t, root, map[string]string{"policies/large.json": strings.Repeat(" ", 4<<20+1)})
		}, "read the policy `policies/large.json`: it is larger than"},
		"too many": {func(t *testing.T, root string) {
			many := map[string]string{}
			for i := range 5000 {
				many[fmt.Sprintf("policies/%d.json", i)] = ""
			}
			gittest.Write(t, root, many)
		}, "read the policies in `policies`: they are more than 5000 files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := gittest.Repository(t, map[string]string{"gitops.yaml": twoComponents, "policies/a.rego": rego, "policies/aws/b.rego": rego, "policies/limits.yaml": "", "components/x": ""})
			c.prepare(t, root)
			rp := open(t, root, t.TempDir(), repository.Inputs{}, t.Output())
			set, err := rp.Policies(t.Context(), inventory.Name{}, inventory.Policy{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || problem.CodeOf(err) == "" {
				t.Errorf("%s, %v\nwant %s", paths(set), err, c.want)
			}
		})
	}
}

func TestLinksInsideTheCheckoutAreFollowed(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{"rules/a.rego": rego, "rules/more/b.rego": rego, "policies/c.rego": rego, "policies/d_test.rego": rego})
	link(t, root, "policies/linked", "../rules")
	link(t, root, "rules/more/up", "..")
	link(t, root, "policies/again.rego", "c.rego")
	link(t, root, "policies/nowhere", "x")
	link(t, root, "policies/z.rego", "d_test.rego")
	set, err := open(t, root, t.TempDir(), repository.Inputs{}, t.Output()).Policies(t.Context(), inventory.Name{}, inventory.Policy{})
	if got := paths(set); err != nil || got != "policies/again.rego policies/d_test.rego policies/linked/a.rego policies/linked/more/b.rego policies/z.rego" {
		t.Errorf("%s, %v", got, err)
	}
}

// A rule that doesn't find data where it looks is silent. So data is in each folder that it is in for opa.
func TestDataIsInEachFolderThatLeadsToIt(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{"policies/a.rego": rego, "policies/aws/limits.yaml": "max: 1\n", "shared/b.yaml": "b: 1\n"})
	link(t, root, "policies/limits.yaml", "aws/limits.yaml")
	link(t, root, "policies/dev", "../shared")
	link(t, root, "policies/prod", "../shared")
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{nil, "policies/a.rego@policies policies/aws/limits.yaml@policies policies/dev/b.yaml@policies policies/limits.yaml@policies policies/prod/b.yaml@policies"},
		{[]string{"policies/*.rego", "policies/aws", "policies/aws", "policies/*/limits.yaml"}, "policies/a.rego@policies policies/aws/limits.yaml@policies policies/aws/limits.yaml@policies/aws"},
		{[]string{"policies/a.rego", "*/{dev,prod}"}, "policies/a.rego@policies policies/dev/b.yaml@."}, // where all data is in one place
	} {
		set, err := open(t, root, t.TempDir(), repository.Inputs{}, t.Output()).Policies(t.Context(), inventory.Name{}, inventory.Policy{Path: c.paths})
		var got []string
		for _, f := range set {
			got = append(got, f.Path+"@"+f.Root)
		}
		slices.Sort(got)
		if d := cmp.Diff(c.want, strings.Join(got, " ")); err != nil || d != "" {
			t.Error(err, d)
		}
	}
}

// What differs is found between what is checked out and the base; here main, where somebody has
// worked on since the branch was made.
func TestRulesThatAPullRequestChanges(t *testing.T) {
	t.Parallel()
	const weak = "package main\n"
	settings := func(more string) string { return more + twoComponents }
	base := map[string]string{"gitops.yaml": settings(""), "policies/a.rego": rego, "policies/aws/b.rego": rego, "policies/limits.yaml": "max: 1", "components/network/main.tf": ""}
	for name, c := range map[string]struct {
		base, change map[string]string // an empty content: deleted
		untracked    map[string]string
		want         repository.RuleChanges
		before       string
	}{
		"nothing": {change: map[string]string{"components/network/main.tf": "# 2", "policies/a_test.rego": rego}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml"},
		"a policy, a new one, and none": {
			change: map[string]string{"policies/a.rego": weak, "policies/c.rego": rego, "policies/aws/b.rego": ""},
			want:   repository.RuleChanges{Policies: []string{"policies/a.rego", "policies/aws/b.rego", "policies/c.rego"}}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml",
		},
		"data":           {change: map[string]string{"policies/limits.yaml": "max: 100"}, want: repository.RuleChanges{Policies: []string{"policies/limits.yaml"}}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml"},
		"the first ones": {base: map[string]string{"policies/a.rego": "", "policies/aws/b.rego": ""}, change: map[string]string{"policies/a.rego": rego}, want: repository.RuleChanges{Policies: []string{"policies/a.rego", "policies/limits.yaml"}}},
		"all of them":    {change: map[string]string{"policies/a.rego": "", "policies/aws/b.rego": ""}, want: repository.RuleChanges{Policies: []string{"policies/a.rego", "policies/aws/b.rego", "policies/limits.yaml"}}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml"},
		"where they are": {
			change: map[string]string{"gitops.yaml": settings("policy: {path: [policies/aws]}"), "policies/a.rego": rego + "# 2"},
			want:   repository.RuleChanges{Policies: []string{"policies/a.rego", "policies/limits.yaml"}, Settings: []string{"policy.path"}}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml",
		},
		"those of another repository, without them": {
			base: map[string]string{"gitops.yaml": settings("policy: {path: [policies, org]}")}, change: map[string]string{"gitops.yaml": settings("policy: {path: [policies]}")}, untracked: map[string]string{"org/o.rego": rego},
			want: repository.RuleChanges{Policies: []string{"org/o.rego"}, Settings: []string{"policy.path"}}, before: "org/o.rego policies/a.rego policies/aws/b.rego policies/limits.yaml",
		},
		"none any more": {
			change: map[string]string{"gitops.yaml": settings("policy: {path: []}")},
			want:   repository.RuleChanges{Policies: []string{"policies/a.rego", "policies/aws/b.rego", "policies/limits.yaml"}, Settings: []string{"policy.path"}}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml",
		},
		"what is left out": {
			base: map[string]string{"gitops.yaml": settings("policy: {include: [a.rego]}")}, change: map[string]string{"gitops.yaml": settings("policy: {include: [b.rego]}")},
			want: repository.RuleChanges{Policies: []string{"policies/a.rego", "policies/aws/b.rego"}}, before: "policies/a.rego policies/limits.yaml",
		},
		"who approves": {
			base: map[string]string{"gitops.yaml": settings("approvals: {teams: [acme/dba]}\npolicy: {override: {teams: [acme/security]}}")}, change: map[string]string{"gitops.yaml": settings("policy: {override: {teams: [acme/everybody]}}")},
			want: repository.RuleChanges{Settings: []string{"approvals", "policy.override"}}, before: "policies/a.rego policies/aws/b.rego policies/limits.yaml",
		},
		"those of another repository": {
			base: map[string]string{"gitops.yaml": settings("policy: {path: [policies, org]}")}, change: map[string]string{"policies/a.rego": weak}, untracked: map[string]string{"org/o.rego": rego},
			want: repository.RuleChanges{Policies: []string{"policies/a.rego"}, Untracked: []string{"org"}}, before: "org/o.rego policies/a.rego policies/aws/b.rego policies/limits.yaml",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &origin{t: t, dir: t.TempDir()}
			o.git("init", "--quiet", "--initial-branch=main")
			write := func(files map[string]string) string {
				for file, content := range files {
					if content == "" {
						o.git("rm", "--quiet", "--force", "--ignore-unmatch", file)
						delete(files, file)
					}
				}
				return o.commit(files)
			}
			o.commit(base)
			if c.base != nil {
				write(c.base)
			}
			tip := o.git("rev-parse", "HEAD")
			write(c.change)
			w := o.clone("main", repository.Inputs{}, "--depth=1")
			gittest.Write(t, w.origin.dir, c.untracked)
			if name == "all of them" || name == "none any more" { // nothing is fetched only for this
				w.affected(tip, false)
			}
			target, err := w.Find(t.Context(), inventory.Name{Component: "network", Stack: "dev"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.RuleChanges(t.Context(), tip, target)
			if err != nil {
				t.Fatal(err)
			}
			if before := paths(got.Before); before != c.before {
				t.Errorf("before: %s, want %s", before, c.before)
			}
			got.Before = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if got.Any() != (len(c.want.Policies)+len(c.want.Settings) > 0) {
				t.Error("Any")
			}
		})
	}
}
