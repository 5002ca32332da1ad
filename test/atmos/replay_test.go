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
	w := newWorld(t)
	w.commit()
	branch := w.branch()
	branch.edit("components/terraform/network/main.tf", "cidrsubnet(var.cidr, 4,", "cidrsubnet(var.cidr, 5,")
	branch.edit("stacks/catalog/service.yaml", "replicas: 2", "replicas: 3")
	branch.commit()

	const service = "service/api"
	describe := func(component, stack string) []string {
		return []string{"describe", "component", component, "-s", stack, "--format", "json"}
	}
	plan := func(component string) []string {
		return []string{"terraform", "plan", component, "-s", dev, "--", "-out=" + w.dir + "/api.planfile", "-lock=false", "-input=false", "-no-color", "-detailed-exitcode"}
	}
	deploy := []string{"terraform", "deploy", service, "-s", dev, "--planfile", w.dir + "/api.planfile", "--", "-input=false", "-no-color"}
	affected := []string{"describe", "affected", "--repo-path", w.dir, "--format", "json"}

	replayed := map[string]bool{}
	replay := func(in *world, name string, args []string) {
		t.Helper()
		replayed[name] = true
		got := in.atmos(nil, args...)
		want := recorded(t, name)
		got.stdout, want.stdout = normalized(got.stdout, in.dir), normalized(want.stdout, "/repo")
		// The recordings of stderr have one space where there were more.
		got.stderr, want.stderr = spaces.ReplaceAllString(got.stderr, " "), spaces.ReplaceAllString(want.stderr, " ")
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s: atmos %s (-recorded +now):\n%s", name, strings.Join(args, " "), diff)
		}
	}

	replay(w, "describe-component.network.acme-ue2-dev", describe("network", dev))
	replay(w, "describe-component.network.acme-ue2-prod", describe("network", prod))
	replay(w, "describe-component.service_api.acme-ue2-dev", describe(service, dev))
	replay(w, "describe-component.service_api.acme-ue2-prod", describe(service, prod))
	replay(w, "describe-component.service_legacy.acme-ue2-dev", describe("service/legacy", dev))
	replay(w, "describe-component.service_legacy.acme-ue2-prod", describe("service/legacy", prod))
	replay(w, "describe-component.unknown", describe("nope", dev))
	replay(w, "describe-component.unknown-stack", describe("network", "nope"))
	replay(w, "describe-stacks", []string{"describe", "stacks", "--format", "json"})
	replay(w, "describe-stacks.sections", []string{"describe", "stacks", "--format", "json", "--components", "network", "--sections", "vars,settings,metadata,component"})
	replay(branch, "describe-affected", affected)
	replay(branch, "describe-affected.dependents", append(affected, "--include-dependents=true"))

	replay(w, "plan.changes", plan(service))
	replay(w, "deploy.planfile", deploy)
	replay(w, "deploy.stale", deploy)
	replay(w, "plan.no-changes", plan(service))
	replay(w, "output.json", []string{"terraform", "output", service, "-s", dev, "--skip-init", "--", "-json", "-no-color"})
	w.write("components/terraform/network/main.tf", w.read("components/terraform/network/main.tf")+`locals { broken = file("missing") }`+"\n")
	replay(w, "plan.error", plan("network"))

	files, err := filepath.Glob("testdata/recorded/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)); !replayed[name] {
			t.Errorf("%s is not replayed", file)
		}
	}
}

// recorded is what Atmos did. A description was kept in one file, .json or .err:
// where it failed, with code 1, nothing was on stdout.
func recorded(t *testing.T, name string) result {
	t.Helper()
	read := func(extension string) (string, bool) {
		content, err := os.ReadFile("testdata/recorded/" + name + extension)
		return string(content), err == nil
	}
	if stdout, ok := read(".json"); ok {
		return result{stdout: stdout}
	}
	stdout, _ := read(".out")
	stderr, ok := read(".err")
	if !ok {
		t.Fatalf("%s is not recorded", name)
	}
	code, ok := read(".rc")
	if !ok {
		return result{stdout, stderr, 1}
	}
	number, err := strconv.Atoi(strings.TrimSpace(code))
	if err != nil {
		t.Fatal(err)
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

// normalized takes out of stdout what can't be the same twice:
//
//   - where the checkout is;
//   - the version in Atmos' user agent: the recorded one was built without;
//   - the ids that Terraform gives at random, and how long a resource took;
//   - the order of lines on resources that Terraform works on at the same time;
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
