package gitops

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

const (
	backend  = "terraform {\n  backend \"s3\" {}\n}\n"
	provider = "provider \"aws\" {\n}\n"
	neither  = "resource \"terraform_data\" \"x\" {}\n"
)

// irregular are root modules by account, region and service, as they grow over the years.
func irregular() map[string]string {
	return map[string]string{
		"aws/prod/eu-central-1/network/backend.tf":            backend,
		"aws/prod/eu-central-1/network/main.tf":               "module \"m\" {\n  source = \"../../../modules/tags\"\n}\n",
		"aws/prod/eu-central-1/cluster/main.tf":               provider,
		"aws/prod/iam/versions.tf":                            "terraform {\n  cloud {\n    organization = \"acme\"\n  }\n}\n",
		"aws/prod/eu-central-1/data/lake/raw/main.tofu":       backend,
		"aws/dev/eu-central-1/network/main.tf.json":           `{"terraform": {"backend": {"s3": {}}}}`,
		"aws/dev/eu-central-1/network/modules/subnet/main.tf": backend, // excluded
		"aws/modules/tags/main.tf":                            provider + neither,
		"aws/prod/eu-central-1/commented/main.tf":             "# " + strings.ReplaceAll(backend, "\n", "\n# "),
		"gcp/org-policies/main.tf":                            backend,
		"aws/README.md":                                       backend,
	}
}

// found are the targets with their folders, and what is left out, with the reason.
func found(t *testing.T, c *Config) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, l := range c.Targets() {
		target, err := c.resolver(l.Component, l.Stack).target()
		if err != nil {
			t.Fatal(err)
		}
		all[l.Name().String()] = target.Dir
	}
	if c.Discovery() == nil {
		return all
	}
	for _, left := range c.Discovery().Left {
		all[left.Folder+" is left"] = left.Why
	}
	for _, p := range c.Discovery().Unmatched {
		all[p] = "unmatched"
	}
	for _, f := range c.Discovery().Found {
		if all[f.Name.String()] != f.Folder {
			t.Errorf("found %v", f)
		}
	}
	return all
}

func TestRootModulesAreFoundAndNamed(t *testing.T) {
	t.Parallel()
	const nothing = "it has no backend, cloud or provider block, and no module calls it"
	for name, x := range map[string]struct {
		yaml  string
		files map[string]string
		want  map[string]string
	}{
		"by account, with any folders below": {
			"discover: ['aws/**', '!aws/**/modules/**']\npath: aws/{stack}/**/{component}\n", irregular(),
			map[string]string{
				"eu-central-1/network in prod":                        "aws/prod/eu-central-1/network",
				"eu-central-1/cluster in prod":                        "aws/prod/eu-central-1/cluster",
				"eu-central-1/data/lake/raw in prod":                  "aws/prod/eu-central-1/data/lake/raw",
				"eu-central-1/network in dev":                         "aws/dev/eu-central-1/network",
				"iam in prod":                                         "aws/prod/iam",
				"gcp/org-policies is left":                            "no pattern of `discover` matches it",
				"aws/prod/eu-central-1/commented is left":             nothing,
				"aws/dev/eu-central-1/network/modules/subnet is left": "`!aws/**/modules/**` excludes it",
			},
		},
		"without a path": {
			"discover: ['**', '!**/modules/**']\n", irregular(),
			map[string]string{
				"aws/prod/eu-central-1/network in default":            "aws/prod/eu-central-1/network",
				"aws/prod/eu-central-1/cluster in default":            "aws/prod/eu-central-1/cluster",
				"aws/prod/eu-central-1/data/lake/raw in default":      "aws/prod/eu-central-1/data/lake/raw",
				"aws/dev/eu-central-1/network in default":             "aws/dev/eu-central-1/network",
				"aws/prod/iam in default":                             "aws/prod/iam",
				"gcp/org-policies in default":                         "gcp/org-policies",
				"aws/prod/eu-central-1/commented is left":             nothing,
				"aws/dev/eu-central-1/network/modules/subnet is left": "`!**/modules/**` excludes it",
			},
		},
		"what is listed keeps its settings": {
			`
discover: ["aws/**", "!aws/**/{modules,commented}/**"]
path: aws/{stack}/**/{component}
components:
  eu-central-1/cluster: {depends-on: [eu-central-1/network]}
  eu-central-1/network: {stacks: {prod: {workspace: w}}}
  org-policies: {path: gcp/org-policies, stacks: [prod]}
stacks: {prod: {role: {plan: p}}, dev: }
`, irregular(),
			map[string]string{
				"eu-central-1/network in prod":                        "aws/prod/eu-central-1/network",
				"eu-central-1/cluster in prod":                        "aws/prod/eu-central-1/cluster",
				"eu-central-1/data/lake/raw in prod":                  "aws/prod/eu-central-1/data/lake/raw",
				"iam in prod":                                         "aws/prod/iam",
				"org-policies in prod":                                "gcp/org-policies",
				"aws/dev/eu-central-1/network is left":                "component `eu-central-1/network` is not in stack `dev`",
				"aws/dev/eu-central-1/network/modules/subnet is left": "`!aws/**/{modules,commented}/**` excludes it",
			},
		},
		"stacks that are not listed, paths that do not fit, patterns that match nothing": {
			"discover: ['aws/**', '!aws/**/{modules,commented}/**', 'gcp/*', 'azure/**', '!tests/**']\npath: aws/{stack}/eu-central-1/{component}\nstacks: {dev: }", irregular(),
			map[string]string{
				"network in dev":                                      "aws/dev/eu-central-1/network",
				"aws/prod/eu-central-1/network is left":               "`stacks` does not list `prod`",
				"aws/prod/eu-central-1/cluster is left":               "`stacks` does not list `prod`",
				"aws/prod/eu-central-1/data/lake/raw is left":         "its path does not fit `aws/{stack}/eu-central-1/{component}`",
				"aws/prod/iam is left":                                "its path does not fit `aws/{stack}/eu-central-1/{component}`",
				"gcp/org-policies is left":                            "its path does not fit `aws/{stack}/eu-central-1/{component}`",
				"aws/dev/eu-central-1/network/modules/subnet is left": "`!aws/**/{modules,commented}/**` excludes it",
				"azure/**": "unmatched", "!tests/**": "unmatched",
			},
		},
		"every component in every stack": {
			"discover: ['infra/*']\npath: infra/{component}\nworkspace: '{stack}'\nstacks: {dev: , prod: }",
			map[string]string{"infra/a/main.tf": backend, "infra/b/main.tf": provider, "infra/c/main.tf": "module \"b\" {\n  source = \"../b\"\n}\n" + backend, "infra/d/e/main.tf": backend},
			map[string]string{
				"a in dev": "infra/a", "a in prod": "infra/a", "c in dev": "infra/c", "c in prod": "infra/c",
				"infra/d/e is left": "no pattern of `discover` matches it",
			},
		},
		"the repository's root, too": {
			"discover: ['**']", map[string]string{"main.tf": backend, "sub/main.tf": backend},
			map[string]string{"root in default": ".", "sub in default": "sub"},
		},
		"names with odd characters": {
			"discover: ['**']", map[string]string{"a b,c/main.tf": backend, "{stack}/main.tf": backend, "x*y/main.tf": backend, "A/main.tf": backend, "a/main.tf": backend, `q\r/main.tf`: backend},
			map[string]string{
				"a b,c in default": "a b,c", "{stack} in default": "{stack}", "x*y in default": "x*y", "A in default": "A", "a in default": "a",
				`q\r is left`: "its path can't be a name: it has a backslash",
			},
		},
		"one stack twice in a path": {
			"discover: ['*/*']\npath: '{stack}/{stack}-{component}'", map[string]string{"dev/dev-a/main.tf": backend, "dev/prod-b/main.tf": backend},
			map[string]string{"a in dev": "dev/dev-a", "dev/prod-b is left": "its path does not fit `{stack}/{stack}-{component}`"},
		},
		"a module that is called by a source that is not constant": {
			"discover: ['**']", map[string]string{"a/main.tf": backend + "module \"m\" {\n  source = \"../modules/${var.x}\"\n}\n", "modules/x/main.tf": provider, "y/main.tf": provider},
			map[string]string{"a in default": "a", "y in default": "y"},
		},
		"a root module at the root, in three lines": {
			"artifact-storage:\n  bucket: b\n  table: t\n", map[string]string{"main.tf": neither},
			map[string]string{"root in default": "."},
		},
		"a root module at the root, in two stacks, beside another one": {
			"workspace: '{stack}'\nstacks: {dev: , prod: }", map[string]string{"main.tf": provider, "bootstrap/main.tf": backend, "modules/x/main.tf": neither},
			map[string]string{"root in dev": ".", "root in prod": ".", "bootstrap is left": "gitops.yaml has neither `components` nor `discover`"},
		},
		"one root module elsewhere": {
			"path: infra", map[string]string{"infra/main.tf": neither},
			map[string]string{"root in default": "infra"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(x.files)
			files["gitops.yaml"] = x.yaml
			plain := t.TempDir()
			gittest.Write(t, plain, files)
			for where, root := range map[string]string{"in Git": gittest.Repository(t, files), "without Git": plain} {
				c, err := Load(t.Context(), root, "gitops.yaml", nil)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(x.want, found(t, c)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", where, diff)
				}
			}
		})
	}
}

func TestAListedComponentIsFound(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a/dev/main.tf": backend, "gitops.yaml": "discover: ['*/*']\npath: '{component}/{stack}'\ncomponents:\n  b:\n"}
	_, err := Load(t.Context(), gittest.Repository(t, files), "gitops.yaml", nil)
	if err == nil || !strings.HasPrefix(err.Error(), "gitops.yaml:4:3: `discover` finds no root module of component `b`") {
		t.Error(err)
	}
}

// What two commits have is found in each of them.
func TestFoldersThatComeAndGoAreNewAndDeleted(t *testing.T) {
	t.Parallel()
	files := irregular()
	files["gitops.yaml"] = "discover: ['aws/**', '!aws/**/modules/**']\npath: aws/{stack}/**/{component}\n"
	base := loaded(t, gittest.Repository(t, files))
	delete(files, "aws/prod/iam/versions.tf")
	files["aws/prod/us-east-1/network/main.tf"] = backend
	files["aws/modules/tags/main.tf"] += "# changed\n"
	head := loaded(t, gittest.Repository(t, files))
	changes, err := Affected(t.Context(), base, head, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range changes {
		got[c.Name.String()] = fmt.Sprintf("%s %v %v", strings.Join(c.Why, ", "), c.Deleted, c.Err)
	}
	want := map[string]string{
		"iam in prod":                  "deleted true <nil>",
		"us-east-1/network in prod":    "new false <nil>",
		"eu-central-1/network in prod": "changed: aws/modules/tags/main.tf false <nil>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A file that lists what another one finds means the same targets.
func TestAListedTargetBecomesOneThatIsFound(t *testing.T) {
	t.Parallel()
	files := map[string]string{"infra/a/main.tf": backend, "gitops.yaml": "components: {a-component: {path: infra/a}}\nstacks: {main: }"}
	base := loaded(t, gittest.Repository(t, files))
	files["gitops.yaml"] = "discover: ['infra/*']"
	head := loaded(t, gittest.Repository(t, files))
	changes, err := Affected(t.Context(), base, head, nil)
	if err != nil || len(changes) != 1 || changes[0].Why[0] != "renamed from a-component in main" {
		t.Errorf("%+v, %v", changes, err)
	}
}

func TestASparseCheckoutLosesNoTargets(t *testing.T) {
	t.Parallel()
	files := irregular()
	files["gitops.yaml"] = "discover: ['aws/**', '!aws/**/modules/**']\npath: aws/{stack}/**/{component}\n"
	root := gittest.Repository(t, files)
	want := found(t, loaded(t, root))
	base := gittest.Repository(t, files)
	gittest.Run(t, root, "sparse-checkout", "set", "aws/dev")
	if _, err := os.Stat(filepath.Join(root, "aws/prod")); err == nil {
		t.Fatal("it is all there")
	}
	head := loaded(t, root)
	if diff := cmp.Diff(want, found(t, head)); diff != "" {
		t.Error(diff)
	}
	changes, err := Affected(t.Context(), loaded(t, base), head, nil)
	if err != nil || slices.ContainsFunc(changes, func(c inventory.Change) bool { return !c.Outside }) {
		t.Errorf("%+v, %v", changes, err)
	}
	var fault *Error
	if _, err := head.Target("iam", "prod"); !errors.As(err, &fault) {
		t.Errorf("a target whose folder is not there: %v", err)
	}
	// What Git does not have, nobody can read.
	gittest.Run(t, root, "rm", "--cached", "--sparse", "-q", "aws/prod/iam/versions.tf")
	gittest.Run(t, root, "update-index", "--add", "--cacheinfo", "100644,"+strings.Repeat("ab", 20)+",aws/prod/iam/versions.tf")
	gittest.Run(t, root, "update-index", "--skip-worktree", "aws/prod/iam/versions.tf")
	if _, err := Load(t.Context(), root, "gitops.yaml", nil); err == nil || !strings.Contains(err.Error(), "`aws/prod/iam/versions.tf` can't be read") {
		t.Error(err)
	}
}

// The backend is often one file that each root module has a symbolic link to.
func TestASparseCheckoutLosesNoLinkedFiles(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"gitops.yaml": "discover: ['envs/**']", "common/aws/backend.tf": backend,
		"envs/a/main.tf": neither, "envs/b/main.tf": neither, "envs/c/main.tf": neither,
	})
	for link, to := range map[string]string{"envs/a/backend.tf": "../../common/aws/backend.tf", "envs/b/backend.tf": "../a/backend.tf", "envs/c/nothing.tf": "nowhere.tf"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	gittest.Run(t, root, "add", "-A")
	gittest.Run(t, root, "commit", "-qm", "Link the backend")
	want := found(t, loaded(t, root))
	if want["a in default"] != "" || want["envs/a in default"] != "envs/a" || want["envs/b in default"] != "envs/b" {
		t.Fatal(want)
	}
	for _, in := range []string{"envs/a", "envs/b", "envs/c", "common"} {
		gittest.Run(t, root, "sparse-checkout", "set", in)
		if diff := cmp.Diff(want, found(t, loaded(t, root))); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", in, diff)
		}
	}
	// A folder on the way may be a link, too: then nobody can tell without having the files.
	if err := errors.Join(os.Symlink("aws", filepath.Join(root, "common/cloud")), os.MkdirAll(filepath.Join(root, "envs/d"), 0o700), os.Symlink("../../common/cloud/backend.tf", filepath.Join(root, "envs/d/backend.tf"))); err != nil {
		t.Fatal(err)
	}
	gittest.Run(t, root, "add", "-A", "--sparse")
	gittest.Run(t, root, "commit", "-qm", "Link the folder")
	gittest.Run(t, root, "sparse-checkout", "set", "envs/a")
	if _, err := Load(t.Context(), root, "gitops.yaml", nil); err == nil || !strings.Contains(err.Error(), "`envs/d/backend.tf` can't be read") {
		t.Error(err)
	}
}

// A repository with a folder for each account, region and service, and one irregular root module. A
// network in one account is applied before the clusters in the others.
func TestSixtyOneRootModulesNeedUnderTenLines(t *testing.T) {
	t.Parallel()
	const config = `artifact-storage: {bucket: acme-planfiles, table: acme-plan-records}
discover: ["aws/**", "!**/modules/**"]
path: aws/{stack}/**/{component}
environment: "{stack}"
components:
  org-policies: {path: gcp/org-policies, stacks: [shared]}
  eu-central-1/cluster: {depends-on: [shared/eu-central-1/network, eu-central-1/network]}
`
	if n := strings.Count(config, "\n"); n >= 10 {
		t.Errorf("%d lines", n)
	}
	files := map[string]string{"gitops.yaml": config, "gcp/org-policies/main.tf": backend, "aws/modules/tags/main.tf": neither}
	for _, account := range []string{"audit", "dev", "prod", "shared"} {
		for _, region := range []string{"eu-central-1", "us-east-1"} {
			for _, service := range []string{"network", "cluster", "data/lake", "data/warehouse", "dns", "queue", "logs"} {
				files["aws/"+account+"/"+region+"/"+service+"/main.tf"] = backend
			}
		}
		files["aws/"+account+"/iam/main.tf"] = backend
	}
	c := loaded(t, gittest.Repository(t, files))
	folders := map[string]string{}
	var names []inventory.Name
	for _, l := range c.Targets() {
		target, err := c.Target(l.Component, l.Stack)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := folders[target.Dir]; twice {
			t.Errorf("%s is %s, too", target, other)
		}
		folders[target.Dir] = target.String()
		if account := strings.Split(target.Dir, "/")[1]; l.Settings.Environment != account && account != "org-policies" {
			t.Errorf("%s is applied in %s", target, l.Settings.Environment)
		}
		names = append(names, l.Name())
	}
	if len(folders) != 61 || len(c.Discovery().Left)+len(c.Discovery().Unmatched) > 0 {
		t.Errorf("%d targets; %+v", len(folders), c.Discovery())
	}
	nodes, err := inventory.Order(names, c.after)
	if err != nil {
		t.Fatal(err)
	}
	in := func(stack string) inventory.Name {
		return inventory.Name{Component: "eu-central-1/network", Stack: stack}
	}
	for _, n := range nodes {
		if n.Component == "eu-central-1/cluster" && !(slices.Contains(n.After, in("shared")) && slices.Contains(n.After, in(n.Stack))) {
			t.Errorf("%s is applied after %v", n.Name, n.After)
		}
	}
}
