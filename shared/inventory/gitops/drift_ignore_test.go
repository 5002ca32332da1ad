package gitops

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
)

func TestWhatIsIgnoredAddsUpOverTheLevels(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
workspace: "{stack}"
drift:
  ignore:
    - aws_autoscaling_group.*: [desired_capacity, min_size]
    - "**.aws_iam_role.*": [inline_policy]
components:
  a:
    drift: { ignore: { 'module.eks.**': [tags.LastScan], aws_autoscaling_group.*: [min_size] } }
  b:
    stacks:
      dev: { drift: { ignore: [{ output.size: ["**"] }] } }
      prod:
stacks:
  dev:
  prod:
    drift:
      ignore: [{ aws_db_instance.main: [engine_version] }]
`)
	if err != nil {
		t.Fatal(err)
	}
	top := []string{"aws_autoscaling_group.*: desired_capacity", "aws_autoscaling_group.*: min_size", "**.aws_iam_role.*: inline_policy"}
	stack, component := "aws_db_instance.main: engine_version", "module.eks.**: tags.LastScan"
	for name, want := range map[string][]string{
		"a dev":  append(slices.Clone(top), component),
		"a prod": append(slices.Clone(top), stack, component),
		"b dev":  append(slices.Clone(top), "output.size: **"),
		"b prod": append(slices.Clone(top), stack),
	} {
		component, stack, _ := strings.Cut(name, " ")
		target, err := c.resolver(component, stack).target()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, texts(target.DriftIgnore)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheExampleOfTheDocumentationWorks(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/drift.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	c, err := load(t, example)
	if err != nil {
		t.Fatal(err)
	}
	target, err := c.resolver("cluster", "dev").target()
	if err != nil || len(target.DriftIgnore) != 5 {
		t.Error(texts(target.DriftIgnore), err)
	}
	if err := compileSchema(t).Validate(decodeAny(t, example)); err != nil {
		t.Error(err)
	}
	for heading, parse := range map[string]func(string) error{
		"| Address |":   func(s string) error { _, err := ignore.ParseAddress(s); return err },
		"| Attribute |": func(s string) error { _, err := ignore.ParsePath(s); return err },
	} {
		_, table, _ := strings.Cut(string(page), heading)
		table, _, _ = strings.Cut(table, "\n\n")
		rows := regexp.MustCompile("(?m)^\\| `(.*?)` \\|").FindAllStringSubmatch(table, -1)
		if len(rows) < 5 {
			t.Errorf("%d rows below %s", len(rows), heading)
		}
		for _, row := range rows {
			for pattern := range strings.SplitSeq(row[1], "`, `") {
				if err := parse(pattern); err != nil {
					t.Errorf("%s: %v", pattern, err)
				}
			}
		}
	}
}

func texts(rules []ignore.Rule) (all []string) {
	for _, r := range rules {
		all = append(all, r.String())
	}
	return all
}

func TestATargetHasALimitOfWhatIsIgnored(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	for i := range ignore.MaxRules {
		fmt.Fprintf(&lines, "    - a_b.c%d: [d]\n", i)
	}
	_, err := load(t, "drift:\n  ignore:\n"+lines.String()+"components: {a: }\nstacks: {dev: {drift: {ignore: [{a_b.more: [d]}]}}}\n")
	if err == nil || !strings.Contains(err.Error(), "component `a` in stack `dev`: drift.ignore has more than 200 attribute paths") {
		t.Error(err)
	}
}

func TestAPatternWithAMistakeIsAFaultWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ yaml, want string }{
		"no address":         {"drift:\n  ignore:\n  - module.eks: [tags]\ncomponents: {a: }\nstacks: {dev: }", "gitops.yaml:3:5: `\"module.eks\"` under drift.ignore[0]: it can't be the address of a resource: write TYPE.NAME"},
		"no path":            {"components:\n  a:\n    drift:\n      ignore: {a_b.*: [tags.a, 'tags[0']}\nstacks: {dev: }", "gitops.yaml:4:32: `\"a_b.*\"[1]` under components.a.drift.ignore, `tags[0`: a bracket or a quotation mark is not closed"},
		"in a stack":         {"components: {a: {stacks: {dev: {drift: {ignore: [{a_b: [c]}]}}}}}\nstacks: {dev: }", "gitops.yaml:1:51: `a_b` under components.a.stacks.dev.drift.ignore[0]: it can't be"},
		"no attribute":       {"stacks:\n  dev:\n    drift:\n      ignore:\n      - a_b.*: []\n", "gitops.yaml:5:9: `\"a_b.*\"` under stacks.dev.drift.ignore[0] must name an attribute, or `**` for all attributes"},
		"text":               {"drift: {ignore: [a_b.*]}", "gitops.yaml:1:18: `ignore[0]` under drift must be a mapping from an address to a list of attributes, such as `aws_iam_role.*: [inline_policy]`, not a string"},
		"an alias":           {"drift:\n  ignore:\n  - **.a_b.*: [c]\n", "gitops.yaml:3:6: is not valid YAML: unexpected scalar value type: put a text that begins with * in quotes"},
		"an alias in a list": {"drift:\n  ignore:\n  - a_b.*: [**]\n", "gitops.yaml:3:14: is not valid YAML: unexpected scalar value type: put a text that begins with * in quotes"},
	} {
		if _, err := load(t, c.yaml); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
