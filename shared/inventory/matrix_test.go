package inventory

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestMatrix(t *testing.T) {
	if got, err := Matrix(names("service/api@dev", "network@dev")); err != nil || got != `{"include":[`+
		`{"name":"service/api in dev","component":"service/api","stack":"dev","targets":"[{\"component\":\"service/api\",\"stack\":\"dev\"}]"},`+
		`{"name":"network in dev","component":"network","stack":"dev","targets":"[{\"component\":\"network\",\"stack\":\"dev\"}]"}]}` {
		t.Errorf("%s %v", got, err)
	}
	if got, _ := Matrix(nil); got != `{"include":[]}` {
		t.Errorf("of nothing: %s", got)
	}
}

func TestAMatrixHasAtMost256Jobs(t *testing.T) {
	for _, n := range []int{256, 257, 10_000} {
		all := make([]Name, n)
		for i := range all {
			all[i] = Name{Component: "component", Stack: strings.Repeat("s", i%7) + string(rune('a'+i%26))}
		}
		text, err := Matrix(all)
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ Include []entry }
		decode(t, text, &m)
		var again []Name
		least, most := n, 0
		for _, e := range m.Include {
			group, err := ParseTargets(e.Targets)
			if err != nil {
				t.Fatal(err)
			}
			least, most = min(least, len(group)), max(most, len(group))
			if (e.Component == "") != (len(group) > 1) {
				t.Errorf("%d targets: entry %q of %d has component %q", n, e.Name, len(group), e.Component)
			}
			again = append(again, group...)
		}
		if len(m.Include) != maxMatrix || !slices.Equal(again, all) || most-least > 1 {
			t.Errorf("%d targets: %d jobs of %d to %d targets, all there: %v", n, len(m.Include), least, most, slices.Equal(again, all))
		}
		if len(text) > 1<<20 {
			t.Errorf("%d targets: the output has %d bytes, and GitHub takes 1 MB", n, len(text))
		}
	}
}

func TestTargetsMustBeNamed(t *testing.T) {
	for _, bad := range []string{"network", "[]", `[{"component":"network"}]`, `{"component":"a","stack":"b"}`} {
		if got, err := ParseTargets(bad); err == nil || !strings.HasPrefix(err.Error(), "input `targets`") {
			t.Errorf("%s: %v, %v", bad, got, err)
		}
	}
	if got, err := ParseTargets(""); got != nil || err != nil {
		t.Errorf("not given: %v, %v", got, err)
	}
}
func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
