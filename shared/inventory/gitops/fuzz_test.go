package gitops

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/checkout"
)

// Whatever the file holds: no panic, an error of one line that has a place,
// and targets that lie in the checkout.
func FuzzLoad(f *testing.F) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split(string(readme), "```yaml\n")[1:] {
		example, _, _ := strings.Cut(part, "```")
		f.Add(example)
	}
	for _, seed := range []string{
		"", "\x00", "\ufeff", "---\n---\n", "a: [", "- a", "a: *b", "? a\n: b", "%YAML 1.2\n---\na: b", "a: |\n  b\n", "a: >-\n\n", "&a a: *a", "<<: x", "a: !!map {}",
		"components: {a: &a {<<: *a}}", "components: {a: &a {path: x}, b: {<<: [*a, *a], stacks: [dev]}}\nstacks: {dev: }",
		"components: {..: }\nstacks: {dev: }", "components: {a: {path: ../../etc}}\nstacks: {dev: }", "path: /{stack}/../{component}\ncomponents: {a/b: }\nstacks: {c: }",
		"components: {a: {var-files: ['{stack}', /../x, '{{stack}}']}}\nstacks: {dev: }", "env: {A: \"\\ud800\", B: .nan, C: 0x1}\ncomponents: {a: }\nstacks: {1e3: }",
		"policy: {path: [policies, '{stack}', ../x, '**', 'a\\'], include: ['[', '{stack}/**'], override: {teams: [a/b]}}\ncomponents: {a: {policy: {exclude: ['{component}']}}}\nstacks: {'{*': }",
		"approvals: {count: 0x2, teams: [a/b, c], users: ['x[bot]', '@y'], newer-than-plan: false}\ncomponents: {a: {approvals: {count: 1_0}}}\nstacks: {dev: {approvals: {codeowners: yes}}}",
		"components: {a: {depends-on: [a]}}\nstacks: {dev: }", "components: {a: }\nstacks: {dev: , prod: }", "\"a\\\n", "a: 'b''c'\n", "a:\n\t- b", "a: b: c", "[a, b]: c", "{}", "[]", "~", "# c\n",
	} {
		f.Add(seed)
	}
	empty, err := checkout.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content string) {
		c, err := parse(t.Context(), empty, "gitops.yaml", []byte(content), nil)
		if err != nil {
			if text := err.Error(); strings.ContainsAny(text, "\n\r\x00\x1b") || len(text) > 10_000 {
				t.Errorf("%q is not one readable line", text)
			}
			if at := (*Error)(nil); !errors.As(err, &at) || at.Line < 1 || at.Column < 1 {
				t.Errorf("%v has no place", err)
			}
			return
		}
		for _, name := range c.componentNames() {
			for _, stack := range c.stacksOf(c.doc.Components[name]) {
				r := c.resolver(name, stack)
				target, err := r.target()
				if err != nil {
					t.Errorf("%v was not found by Load", err)
				}
				for _, path := range append([]string{target.Dir}, target.Files()...) {
					if !filepath.IsLocal(filepath.FromSlash(path)) {
						t.Errorf("%q leads out", path)
					}
				}
				if _, err := c.Target(name, stack); err == nil {
					t.Error("a folder that does not exist was found")
				}
			}
		}
	})
}
