package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestYAMLParses parses each block of YAML, including those that are no workflow. If a line "# …"
// leaves something out, the parts before and after it are parsed separately.
func TestYAMLParses(t *testing.T) {
	t.Parallel()
	parsed := 0
	for _, file := range pages(t) {
		found, _ := blocks(t, file)
		for _, b := range found {
			if b.language != "yaml" && b.language != "yml" {
				continue
			}
			parsed++
			for _, part := range strings.Split(b.text, "\n# …\n") {
				var document any
				if err := yaml.Unmarshal([]byte(part), &document); err != nil {
					t.Errorf("%s:%d: %v", file, b.line, err)
				}
			}
		}
	}
	if parsed < 10 {
		t.Errorf("only %d blocks were parsed", parsed)
	}
}

// TestPagesUseOneNameForThisRepository: a reader who copies an example has one name to replace.
func TestPagesUseOneNameForThisRepository(t *testing.T) {
	t.Parallel()
	ours := regexp.MustCompile(`([\w.-]+/[\w.-]+)/actions/(?:plan|apply|drift-detection|drift-remediation)@`)
	seen := 0
	for _, file := range pages(t) {
		for _, found := range ours.FindAllStringSubmatch(read(t, file), -1) {
			if seen++; found[1] != "terraform-gitops/gitops" {
				t.Errorf("%s calls this repository %s", file, found[1])
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d uses of our actions were found", seen)
	}
}
