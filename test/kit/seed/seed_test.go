package seed

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

func TestTheSeedIsTheOneGivenOrTheCommitsInCIOrARandomOne(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	commit := func(seed uint64) bool { return fmt.Sprintf("%016x", seed) == string(out[:16]) }
	for name, test := range map[string]struct {
		env  map[string]string
		same bool // in each run
		is   func(uint64) bool
	}{
		"given":                 {map[string]string{Variable: "17"}, true, func(s uint64) bool { return s == 17 }},
		"given in CI":           {map[string]string{Variable: "17", "CI": "true"}, true, func(s uint64) bool { return s == 17 }},
		"in CI":                 {map[string]string{"CI": "true"}, true, commit},
		"random in CI":          {map[string]string{Variable: "random", "CI": "true"}, false, nil},
		"on a person's machine": {nil, false, nil},
	} {
		env := func(name string) string { return test.env[name] }
		first, err := find(env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if second, err := find(env); err != nil || (first == second) != test.same {
			t.Errorf("%s: %d, then %d, %v", name, first, second, err)
		}
		if test.is != nil && !test.is(first) {
			t.Errorf("%s: %d", name, first)
		}
	}
}

func TestASeedThatIsNoNumberIsRefused(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"x", "-1", "1.5", "18446744073709551616"} {
		if _, err := find(func(string) string { return given }); err == nil || !strings.Contains(err.Error(), Variable) {
			t.Errorf("%s: %v", given, err)
		}
	}
}
