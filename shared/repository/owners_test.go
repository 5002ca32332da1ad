package repository_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// Each file that may be the target's needs its owner, also if another one is the target's for sure.
func TestWhoOwnsWhatATargetReads(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"gitops.yaml": twoComponents, "components/network/main.tf": "module \"m\" {\n  source = \"../../modules/m\"\n}\n", "components/cluster/main.tf": "",
		"modules/m-1/main.tf": "", "included.json": "", "gone/\xff.tf": "", "job.tfvars": "", ".terraform-version": "1.9.0",
		"CODEOWNERS": "/components/network/ @network\n/components/cluster/ @cluster\n/modules/ @modules\n/org @org\n/job.tfvars @job\n/.terraform-version @version\n/settings.tmpl @settings\n/included.json @included\n/gone/ @gone\n",
	})
	link(t, root, "modules/m", "m-1")
	gittest.Run(t, root, "add", "--all")
	gittest.Run(t, root, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",org")
	gittest.Run(t, root, "commit", "--quiet", "-m", "x")
	rp := open(t, root, t.TempDir(), repository.Inputs{}, t.Output(), "TF_CLI_ARGS_plan=-var-file="+filepath.Join(root, "job.tfvars"))
	head, err := rp.Checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target, err := rp.Find(t.Context(), inventory.Name{Component: "network", Stack: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"components/cluster/main.tf": "network",
		"modules/m-1/main.tf":        "network modules",
		"modules/m":                  "network modules", // a link
		"org":                        "network org",     // a submodule
		"job.tfvars":                 "network job",
		".terraform-version":         "network version",
		"settings.tmpl":              "network settings",
		"gone/main.tf":               "network gone",
		"gone/\ufffd.tf":             "network gone", // GitHub's answer to a name that is no UTF-8
		"included.json":              "network",
	} {
		required, err := rp.Owners(t.Context(), head.Commit, "", target, []github.ChangedFile{{Path: "components/network/main.tf"}, {Path: name}})
		var got []string
		for _, r := range required {
			got = append(got, r.Users...)
		}
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", name, strings.Join(got, " "), err, want)
		}
	}
	target.Atmos = &inventory.AtmosComponent{}
	required, err := rp.Owners(t.Context(), head.Commit, "", target, []github.ChangedFile{{Path: "components/network/main.tf"}, {Path: "included.json"}})
	if len(required) != 2 || err != nil {
		t.Errorf("a file that a manifest of Atmos may include: %+v, %v", required, err)
	}
}

// After a rebase merge of several commits, the commit before the merged one is the pull request's own.
func TestAPullRequestChoosesItsOwnersByNoCommit(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	o.git("checkout", "--quiet", "main")
	o.git("reset", "--quiet", "--hard", o.main)
	opened := o.commit(map[string]string{"CODEOWNERS": "* @strict\n"})
	own := o.commit(map[string]string{"CODEOWNERS": "* @weak\n"})
	o.commit(map[string]string{"components/network/main.tf": "# 3"})
	w := o.clone("main", repository.Inputs{}, "--depth=2")
	target, err := w.Find(t.Context(), inventory.Name{Component: "network", Stack: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"CODEOWNERS": "weak strict", "README.md": "weak"} {
		required, err := w.Owners(t.Context(), own, opened, target, []github.ChangedFile{{Path: "components/network/main.tf"}, {Path: path}})
		var got []string
		for _, r := range required {
			got = append(got, r.Users...)
		}
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", path, strings.Join(got, " "), err, want)
		}
	}
}
