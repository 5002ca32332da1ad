package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecordedCommandsDoAsRecorded replays every recorded command. A failure on
// a real Atmos, or another Terraform than 1.11.4, may be that version's own.
func TestRecordedCommandsDoAsRecorded(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		r := &replayer{t: t, folder: "recorded", replayed: map[string]bool{}}
		if version != oldest {
			r.folder = "recorded-1.227"
		}
		r.w = newWorld(t, version)
		r.w.commit()
		r.replayAll(version == oldest)
		files, err := filepath.Glob("testdata/" + r.folder + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)); !r.replayed[name] {
				t.Errorf("%s is not replayed", file)
			}
		}
	})
}

type replayer struct {
	t        *testing.T
	w        *world
	folder   string
	replayed map[string]bool
}

func (r *replayer) replay(in *world, name string, args ...string) {
	r.t.Helper()
	r.replayed[name] = true
	got := in.atmos(nil, args...)
	want := r.recorded(name)
	got.stdout, want.stdout = normalized(got.stdout, in.dir), normalized(want.stdout, "/repo")
	// The recordings of stderr have one space where there were more.
	// Atmos reads the stacks that import a manifest in random order.
	got.stderr = strings.Replace(got.stderr, "→ orgs/acme/dev.yaml", "→ orgs/acme/prod.yaml", 1)
	got.stderr, want.stderr = spaces.ReplaceAllString(got.stderr, " "), spaces.ReplaceAllString(want.stderr, " ")
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		r.t.Errorf("%s: atmos %s (-recorded +now):\n%s", name, strings.Join(args, " "), diff)
	}
}

func (r *replayer) replayAll(old bool) {
	w := r.w
	branch := w.branch()
	branch.edit("components/terraform/network/main.tf", "cidrsubnet(var.cidr, 4,", "cidrsubnet(var.cidr, 5,")
	branch.edit("stacks/catalog/service.yaml", "replicas: 2", "replicas: 3")
	branch.commit()

	const service = "service/api"
	describe := func(component, stack string, more ...string) []string {
		return append([]string{"describe", "component", component, "-s", stack, "--format", "json"}, more...)
	}
	plan := func(component string) []string {
		return []string{"terraform", "plan", component, "-s", dev, "--", "-out=" + w.dir + "/api.planfile", "-lock=false", "-input=false", "-no-color", "-detailed-exitcode"}
	}
	deploy := []string{"terraform", "deploy", service, "-s", dev, "--planfile", w.dir + "/api.planfile", "--", "-input=false", "-no-color"}
	affected := []string{"describe", "affected", "--format", "json", "--repo-path"}
	stacks := []string{"describe", "stacks", "--format", "json"}

	for _, component := range []string{"network", service, "service/legacy"} {
		for _, stack := range []string{dev, prod} {
			name := strings.ReplaceAll(component, "/", "_") + "." + stack
			r.replay(w, "describe-component."+name, describe(component, stack)...)
			if !old {
				r.replay(w, "describe-component.query."+name, describe(component, stack, "--query", ".")...)
			}
		}
	}
	r.replay(w, "describe-component.unknown", describe("nope", dev)...)
	r.replay(w, "describe-component.unknown-stack", describe("network", "nope")...)
	r.replay(w, "describe-stacks", stacks...)
	r.replay(w, "describe-stacks.sections", append(stacks, "--components", "network", "--sections", "vars,settings,metadata,component")...)
	base := w
	if !old {
		base = w.branch()
		r.replay(branch, "describe-affected.no-origin", append(affected, w.dir)...)
		base.git("remote", "set-url", "origin", "https://github.com/acme/infrastructure")
		r.replay(branch, "describe-affected.only-workspace-has-origin", append(affected, w.dir)...)
		r.replay(branch, "describe-affected.base", "describe", "affected", "--format", "json", "--base", "HEAD~1")
	}
	r.replay(branch, "describe-affected", append(affected, base.dir)...)
	r.replay(branch, "describe-affected.dependents", append(affected, base.dir, "--include-dependents=true")...)
	if !old {
		r.replayDynamic(stacks, describe)
	}

	r.replay(w, "plan.changes", plan(service)...)
	r.replay(w, "deploy.planfile", deploy...)
	r.replay(w, "deploy.stale", deploy...)
	r.replay(w, "plan.no-changes", plan(service)...)
	r.replay(w, "output.json", "terraform", "output", service, "-s", dev, "--skip-init", "--", "-json", "-no-color")
	if old {
		w.write("components/terraform/network/main.tf", w.read("components/terraform/network/main.tf")+`locals { broken = file("missing") }`+"\n")
	} else {
		w.write("components/terraform/network/main.tf", w.read("components/terraform/network/main.tf")+`resource "terraform_data" "bad" { input = var.nope }`+"\n")
	}
	r.replay(w, "plan.error", plan("network")...)
	if !old {
		r.replay(w, "version", "version")
		r.replay(w, "list-editions", "list", "editions")
		r.replay(w, "help.describe-component", "describe", "component", "--help")
		r.replay(w, "help.describe-affected", "describe", "affected", "--help")
		w.write("stacks/catalog/network.yaml", w.read("stacks/catalog/network.yaml")+"      settings: }\n")
		r.replay(w, "describe-component.invalid-yaml", describe("network", dev)...)
	}
}

// replayDynamic replays the commands on a component that reads from another one, which was never
// applied.
func (r *replayer) replayDynamic(stacks []string, describe func(string, string, ...string) []string) {
	w := r.w.branch()
	w.edit("stacks/orgs/acme/dev.yaml", "    network:\n", `    service/reads:
      metadata: { component: service, inherits: [service/defaults] }
      vars: { image: !terraform.output network acme-ue2-dev vpc, replicas: 1 }
    network:
`)
	w.commit()
	reads := append(stacks, "--components", "service/reads", "--sections", "vars", "--stack", dev)
	r.replay(w, "describe-component.no-functions", describe("service/reads", dev, "--query", ".vars", "--process-functions=false")...)
	r.replay(w, "describe-component.unresolved", describe("service/reads", dev, "--query", ".vars")...)
	r.replay(w, "describe-component.unresolved.strict", describe("service/reads", dev, "--query", ".vars", "--error-mode", "strict")...)
	r.replay(w, "describe-stacks.no-functions", append(reads, "--process-functions=false")...)
	r.replay(w, "describe-stacks.unresolved", reads...)
	r.replay(w, "plan.unresolved", "terraform", "plan", "service/reads", "-s", dev, "--", "-out="+w.dir+"/reads.planfile", "-lock=false", "-input=false", "-no-color", "-detailed-exitcode")
}

// recorded returns what Atmos did. For 1.196, a description is in one file, .json or .err: if the
// command failed, it had code 1 and an empty stdout.
func (r *replayer) recorded(name string) result {
	r.t.Helper()
	read := func(extension string) (string, bool) {
		content, err := os.ReadFile("testdata/" + r.folder + "/" + name + extension)
		return string(content), err == nil
	}
	if stdout, ok := read(".json"); ok {
		return result{stdout: stdout}
	}
	stdout, some := read(".out")
	stderr, more := read(".err")
	if !some && !more {
		r.t.Fatalf("%s is not recorded", name)
	}
	code, ok := read(".rc")
	if !ok {
		return result{stdout, stderr, 1}
	}
	number, err := strconv.Atoi(strings.TrimSpace(code))
	if err != nil {
		r.t.Fatal(err)
	}
	return result{stdout, stderr, number}
}

var (
	userAgent = regexp.MustCompile(`"Atmos/[^ ]+ \(`)
	id        = regexp.MustCompile(`\[id=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\]`)
	spaces    = regexp.MustCompile(` +`)
	seconds   = regexp.MustCompile(`after \d+s `)
	resources = regexp.MustCompile(`(?m)(^terraform_data\.\w+: .*\n)+`)
)

// normalized removes from stdout what differs each time:
//
//   - the path of the checkout;
//   - the version in Atmos' user agent, since the recorded Atmos was built without one;
//   - the random ids that Terraform generates, and how long a resource took;
//   - the order of lines about resources that Terraform works on concurrently;
//   - the order of affected components, which is random.
func normalized(stdout, dir string) string {
	stdout = strings.ReplaceAll(stdout, dir, "/repo")
	stdout = userAgent.ReplaceAllLiteralString(stdout, `"Atmos/VERSION (`)
	stdout = id.ReplaceAllLiteralString(stdout, "[id=ID]")
	stdout = seconds.ReplaceAllLiteralString(stdout, "after SECONDS ")
	stdout = resources.ReplaceAllStringFunc(stdout, func(lines string) string {
		sorted := strings.SplitAfter(lines, "\n")
		slices.Sort(sorted)
		return strings.Join(sorted, "")
	})
	var affected []json.RawMessage // each as it is formatted
	if json.Unmarshal([]byte(stdout), &affected) == nil {
		slices.SortFunc(affected, func(a, b json.RawMessage) int { return strings.Compare(slug(a), slug(b)) })
		var elements []string
		for _, element := range affected {
			elements = append(elements, "  "+string(element))
		}
		stdout = "[\n" + strings.Join(elements, ",\n") + "\n]" + stdout[len(strings.TrimSpace(stdout)):]
	}
	return stdout
}

func slug(element json.RawMessage) string {
	var affected struct {
		Slug string `json:"stack_slug"`
	}
	_ = json.Unmarshal(element, &affected)
	return affected.Slug
}
