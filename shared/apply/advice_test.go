package apply

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Every refusal says what to do, in terms of what the plan was made for: a drift plan has no pull
// request.
func TestAdviceIsAboutWhatThePlanWasMadeFor(t *testing.T) {
	t.Parallel()
	for kind, not := range map[planstore.Kind]string{planstore.KindChange: "drift", planstore.KindDrift: "pull request"} {
		w := &Work{}
		w.stored.Record.Kind = kind
		advice := reflect.ValueOf(w.advice())
		for i := range advice.NumField() {
			name, text := advice.Type().Field(i).Name, advice.Field(i).String()
			if text == "" || strings.Contains(text, not) {
				t.Errorf("%s, %s: %q", kind, name, text)
			}
		}
	}
}

// A change is applied after its merge, when nothing can be done in its pull request any more.
func TestAdviceOnAChangeCanBeFollowedAfterTheMerge(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join("..", "..", "examples", "plan-merged.yml")); err != nil {
		t.Error(err)
	}
	advice := reflect.ValueOf(adviceForChange)
	for i := range advice.NumField() {
		name, text := advice.Type().Field(i).Name, advice.Field(i).String()
		if name != "applied" && name != "locked" && !strings.Contains(text, "examples/plan-merged.yml") || strings.Contains(text, "pull request") {
			t.Errorf("%s: %q", name, text)
		}
	}
}
