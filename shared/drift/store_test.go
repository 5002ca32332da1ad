package drift

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
)

// backend is a store of one test. The test can damage what it holds.
type backend struct {
	Store
	*storetest.Backend
	plans *planstore.Store
	clock *storetest.Clock
}

func newBackend(b *storetest.Backend) *backend {
	c := storetest.NewClock()
	plans := planstore.New(b, c.Now)
	return &backend{In(plans), b, plans, c}
}

// open opens the same store again, as another process would.
func (b *backend) open() Store { return In(planstore.New(b.Open(), b.clock.Now)) }

// onEachBackend runs a conformance test on S3 and DynamoDB and on a folder.
func onEachBackend(t *testing.T, test func(t *testing.T, b *backend)) {
	storetest.OnEach(t, func(t *testing.T, b *storetest.Backend) { test(t, newBackend(b)) })
}

func newWiredBackend(t testing.TB) (*backend, *storetest.Wire) {
	b, w := storetest.NewWired(t)
	return newBackend(b), w
}

var network = planstore.Target{Repository: "acme/infra", Component: "network", Stack: "plat-ue2-dev"}

const (
	commitA = "4f1c2d9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "4f1c2d9bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func target(repository, component, stack string) planstore.Target {
	return planstore.Target{Repository: repository, Component: component, Stack: stack}
}

func runNumber(id string, attempt int) planstore.Run {
	return planstore.Run{ID: id, Attempt: attempt, URL: "https://github.com/acme/infra/actions/runs/" + id}
}

// newRecord is the record of a drift plan with everything an action knows before Put.
func (b *backend) newRecord() planstore.Record {
	now := b.clock.Now()
	return planstore.Record{
		Target: network, Commit: commitA, CreatedAt: now, Run: runNumber("100", 1), Kind: planstore.KindDrift, Outcome: planstore.OutcomeChanges,
		ExpiresAt: now.Add(24 * time.Hour),
	}
}

func (b *backend) put(t *testing.T, r planstore.Record) planstore.Record {
	t.Helper()
	path := t.TempDir() + "/plan.tfplan"
	must(t, os.WriteFile(path, []byte("plan"), 0o600))
	stored, err := b.plans.Put(t.Context(), r, path)
	must(t, err)
	return stored
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadmeNamesEveryAttribute(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../planstore/README.md")
	must(t, err)
	for about, item := range map[string]any{"**Drift result**": resultItem{}, "**Drift issue**": linkItem{}} {
		_, section, ok := strings.Cut(string(readme), about)
		if !ok {
			t.Fatalf("README.md says nothing about %s", about)
		}
		section, _, _ = strings.Cut(section, "\n\n")
		fields := reflect.TypeOf(item)
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			if name != "pk" && name != "sk" && !strings.Contains(section, "`"+name+"`") {
				t.Errorf("%s: README.md does not name %s", about, name)
			}
		}
	}
}
