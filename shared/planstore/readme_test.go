package planstore

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestReadmeNamesEveryAttribute(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	must(t, err)
	for about, item := range map[string]any{
		"**Plan record**": recordItem{}, "**Claim**:": claimItem{}, "the plan was let through:": auditItem{}, "**Last apply**": lastItem{},
		"**Lock**": lockItem{},
	} {
		_, section, ok := strings.Cut(string(readme), about)
		if !ok {
			t.Fatalf("README.md says nothing about %s", about)
		}
		section, _, _ = strings.Cut(section, "\n\n")
		fields := reflect.TypeOf(item)
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			if name == "" || name == "pk" || name == "sk" {
				continue
			}
			if !strings.Contains(section, "`"+name+"`") {
				t.Errorf("%s: README.md does not name %s", about, name)
			}
		}
	}
}
