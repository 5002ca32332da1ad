package fakerunner

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// CheckReadme compares the tables of the README.md in an action's folder with
// its action.yml: every input with its default, every output, and every
// permission, in the same order and words.
func CheckReadme(t *testing.T, dir string) {
	t.Helper()
	source := readFile(t, filepath.Join(dir, "action.yml"))
	readme := readFile(t, filepath.Join(dir, "README.md"))

	var action struct {
		Inputs, Outputs yaml.MapSlice
	}
	if err := yaml.Unmarshal([]byte(source), &action); err != nil {
		t.Fatal(err)
	}
	var inputs, outputs, permissions []string
	for _, in := range action.Inputs {
		fields := in.Value.(map[string]any)
		inputs = append(inputs, row(in.Key.(string), text(fields["description"]), inputDefault(fields)))
	}
	for _, out := range action.Outputs {
		outputs = append(outputs, row(out.Key.(string), text(out.Value.(map[string]any)["description"])))
	}
	for _, m := range regexp.MustCompile(`(?m)^#   ([a-z-]+: [a-z]+) - (.*)$`).FindAllStringSubmatch(source, -1) {
		permissions = append(permissions, row(m[1], m[2]))
	}
	for heading, want := range map[string][]string{"Inputs": inputs, "Outputs": outputs, "Permissions": permissions} {
		if diff := cmp.Diff(want, rows(readme, heading)); diff != "" {
			t.Errorf("README.md, table under %q, differs from action.yml (-action.yml +README.md):\n%s", heading, diff)
		}
	}
}

func inputDefault(fields map[string]any) string {
	if fields["required"] == true {
		return "required"
	}
	if d := text(fields["default"]); d != "" {
		return "`" + d + "`"
	}
	return ""
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func row(name string, cells ...string) string {
	return strings.TrimSpace("| " + strings.Join(append([]string{"`" + name + "`"}, cells...), " | ") + " |")
}

// rows are the body rows of the first table under a heading.
func rows(markdown, heading string) []string {
	_, section, _ := strings.Cut(markdown, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var all []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "|") {
			all = append(all, strings.TrimRight(line, "\n"))
		}
	}
	if len(all) < 2 {
		return nil
	}
	return all[2:]
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
