package planstore

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/planstore/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestLocksOfAPullRequestAreThoseItHoldsNow(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		of := func(component string) Target { return Target{"Acme/Infra", component, "dev"} }
		b.put(t, b.newRecord(nil), "plan") // of pull request 41: no lock
		want := []Lock{b.take(t, lockFor(of("Dns"), 41)), b.take(t, lockFor(of("network"), 41))}
		must(t, b.ReleaseLock(t.Context(), b.take(t, lockFor(of("released"), 41))))
		b.take(t, lockFor(of("taken over"), 41))
		b.take(t, lockFor(of("taken over"), 42))
		b.take(t, lockFor(of("another's"), 4))
		b.take(t, lockFor(Target{"acme/infra-live", "network", "dev"}, 41))

		got, err := b.open().LocksOfPullRequest(t.Context(), "Acme/Infra", 41)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got, err := b.LocksOfPullRequest(t.Context(), "acme/infra", 43); err != nil || len(got) != 0 {
			t.Errorf("of a pull request without any: %v, %v", got, err)
		}
		for _, l := range got {
			must(t, b.ReleaseLock(t.Context(), l))
		}
		if got, err := b.LocksOfPullRequest(t.Context(), "acme/infra", 41); err != nil || len(got) != 0 {
			t.Errorf("after they were released: %v, %v", got, err)
		}
		if _, err := b.LocksOfPullRequest(t.Context(), "infra", 41); !errors.Is(err, ErrName) {
			t.Errorf("no repository: %v", err)
		}
		if _, err := b.LocksOfPullRequest(t.Context(), "acme/infra", 0); err == nil {
			t.Error("no pull request has locks")
		}
	})
}

// An index may still say what was so some moments ago.
func TestLockThatIsStaleInTheIndexIsNotReturned(t *testing.T) {
	t.Parallel()
	b, w := newWiredBackend(t)
	vpc := network
	vpc.Component = "vpc"
	must(t, b.ReleaseLock(t.Context(), b.take(t, lockFor(network, 7))))
	b.take(t, lockFor(vpc, 7))
	b.take(t, lockFor(vpc, 8))
	w.BreakWith(func(operation string, q *http.Request) (*http.Response, error) {
		if operation != "Query" {
			return nil, nil
		}
		return storetest.FailWith(operation, 1, 200, `{"Count":2,"ScannedCount":2,"Items":[`+
			`{"repository":{"S":"acme/infra"},"component":{"S":"network"},"stack":{"S":"plat-ue2-dev"}},`+
			`{"repository":{"S":"acme/infra"},"component":{"S":"vpc"},"stack":{"S":"plat-ue2-dev"}}]}`)(operation, q)
	})
	got, err := b.LocksOfPullRequest(t.Context(), "acme/infra", 7)
	if err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if got, want := strings.Join(w.Operations(), " "), "Query BatchGetItem"; got != want {
		t.Errorf("requests %s, want %s", got, want)
	}
}
