package gitops

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestTheExamplesOfTheReadmeWork(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```\n(?:\n[^\n]*\n\n```text\n(.*?)```)?").FindAllStringSubmatch(readme(t), -1)
	if len(examples) != 8 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		root := t.TempDir()
		files := map[string]string{"gitops.yaml": example[1], "components/network/main.tf": ""}
		if example[2] != "" {
			delete(files, "components/network/main.tf")
		}
		for name := range strings.FieldsSeq(example[2]) {
			files[name] = ""
			if strings.Contains(example[1], "discover:") {
				files[name] = provider
			}
		}
		gittest.Write(t, root, files)
		c, err := Load(t.Context(), root, "gitops.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		used := map[string]bool{"gitops.yaml": true}
		for _, component := range c.componentNames() {
			for _, stack := range c.stacksOf(c.doc.Components[component]) {
				target, err := c.Target(component, stack)
				if err != nil {
					t.Fatal(err)
				}
				cfg, err := fingerprint.Of(t.Context(), target, "terraform", "1.11.4")
				if err != nil {
					t.Fatal(err)
				}
				for name := range cfg.Files {
					used[name] = true
				}
			}
		}
		for name := range files {
			if !used[name] {
				t.Errorf("no target uses %s", name)
			}
		}
		if err := schema.Validate(decodeAny(t, example[1])); err != nil {
			t.Error(err)
		}
	}
}

func TestTheReadmeHasEveryKey(t *testing.T) {
	t.Parallel()
	// Columns: key, top level, stack, component, a component's stack. A row with google.{plan,apply}
	// stands for two keys.
	inTable := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*?)\\|(.*?)\\|(.*?)\\|(.*?)\\|").FindAllStringSubmatch(readme(t), -1) {
		for i, level := range []string{"top ", "stack ", "component ", "in stack "} {
			for _, action := range []string{"plan", "apply"} {
				if strings.TrimSpace(row[2+i]) != "" {
					inTable[level+strings.ReplaceAll(row[1], "{plan,apply}", action)] = true
				}
			}
		}
	}
	keys := make(map[string]bool)
	var collect func(prefix string, typ reflect.Type)
	collect = func(prefix string, typ reflect.Type) {
		for _, f := range keyedFields(typ) {
			keys[prefix+f.key] = true
			if ft := typ.FieldByIndex(f.index).Type; ft.Kind() == reflect.Struct && ft != textType && ft != flagType && ft != numberType {
				collect(prefix+f.key+".", ft)
			}
		}
	}
	collect("top ", reflect.TypeFor[document]())
	collect("stack ", reflect.TypeFor[stack]())
	collect("component ", reflect.TypeFor[component]())
	collect("in stack ", reflect.TypeFor[inStack]())
	for key := range keys {
		if !inTable[key] {
			t.Errorf("the table lacks %s", key)
		}
	}
	for key := range inTable {
		if !keys[key] {
			t.Errorf("the table has %s, which is no key", key)
		}
	}
}
