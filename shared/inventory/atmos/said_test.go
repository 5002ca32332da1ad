package atmos

import (
	"os"
	"strings"
	"testing"
)

func TestErrorsOfAtmosAreUnwrapped(t *testing.T) {
	t.Parallel()
	const recorded = "../../../test/atmos/testdata/"
	notFound := "Could not find the component nope in the stack acme-ue2-dev. Check that all the context variables are correctly defined in the stack manifests. Are the component and stack names correct? Did you forget an import?"
	for name, c := range map[string]struct{ said, want string }{
		"1.196, not found": {read(t, recorded+"recorded/describe-component.unknown.err"), "invalid component: " + notFound},
		"1.227, not found": {read(t, recorded+"recorded-1.227/describe-component.unknown.err"), "invalid component: " + notFound},
		"YAML": {
			read(t, recorded+"recorded-1.227/describe-component.invalid-yaml.err"),
			"invalid stack manifest: failed to parse YAML for locals extraction (hint: if this file contains Go template directives, rename it to .yaml.tmpl): yaml: line 6: did not find expected node content (in catalog/network.yaml)",
		},
		"hints, after warnings and progress": {
			"⚠  stacks/catalog/service.yaml:8:11: warning: depends_on is deprecated\nFetching vpc output from network in acme-ue2-dev\n\r✓ Fetching vpc output\n\x1b[31mWARN\x1b[0m something\n\n# Error\n\n**Error:** identity not\nfound\n\n## Explanation\n\nThere is none.\n\n## Hints\n\n💡 Run atmos auth\nlogin first\n💡 Or name another\n\n",
			"identity not found: There is none. Hint: Run atmos auth login first; Or name another",
		},
		"an end of Terraform": {read(t, recorded+"recorded-1.227/plan.changes.err"), ""},
		"and of an older":     {read(t, recorded+"recorded/plan.changes.err"), ""},
		"no heading":          {"exec: \"vault\": executable\nfile not found", "exec: \"vault\": executable file not found"},
		"nothing":             {"\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readSaid(c.said).String(); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
	// Each part stays readable, and none is cut for another.
	long := strings.Repeat("word ", 1000)
	if got := readSaid("# Error\n\n" + long + "\n\n File being processed: a.yaml\n\n## Hints\n\n" + long).String(); len(got) > 1100 || !strings.Contains(got, "(in a.yaml). Hint: word") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file) //nolint:gosec // a recording
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
