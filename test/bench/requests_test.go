package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestRequestsPerTargetAreTheSameFor10And100Targets(t *testing.T) { checkRequests(t, 10, 100) }

// checkRequests checks that the number of requests for each target doesn't depend on the number of
// targets, and that the requests to GitHub are as many as for one target.
func checkRequests(t *testing.T, sizes ...int) {
	t.Helper()
	server := fakeaws.Start(t)
	actions := built(t)
	for _, n := range sizes {
		got := countRequests(t, server, actions, n)
		want := map[string]int{
			"plan: s3 PUT": n, "plan: dynamodb PutItem": n,
			// The state's lineage of the last apply.
			"plan: dynamodb BatchGetItem":                           n,
			"plan: GitHub GET /repos/acme/infra/commits/N/status":   1,
			"plan: GitHub POST /repos/acme/infra/statuses/N":        1, // no settings name an environment
			"plan: GitHub GET /repos/acme/infra/pulls/N":            1,
			"plan: GitHub GET /repos/acme/infra/issues/N/comments":  1,
			"plan: GitHub POST /repos/acme/infra/issues/N/comments": 1,

			// The dry run before the apply: each target's plan of the merged commit, and of the head.
			"review: dynamodb Query":                                  1 + 2*n,
			"review: dynamodb BatchGetItem":                           n,
			"review: GitHub GET /repos/acme/infra/issues/N/comments":  1,
			"review: GitHub POST /repos/acme/infra/issues/N/comments": 1,

			// One for the targets that the pull request planned. Five for each target: its plan of the
			// merged commit, which doesn't exist; its plan of the head; that plan again before the apply;
			// and two for the valid and the expired plans of other pull requests.
			"apply: dynamodb Query": 1 + 5*n,
			// The plan's status when it is found and before the apply, and that of other pull requests' plans.
			"apply: dynamodb BatchGetItem":       3 * n,
			"apply: dynamodb TransactWriteItems": 2 * n, // claim, finish
			"apply: s3 GET":                      n,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests of %d targets (-want +got):\n%s", n, diff)
		}
	}
}

// number matches the parts that differ between similar requests.
var number = regexp.MustCompile(`/[0-9a-f]{40}|/[0-9]+`)

// countRequests plans and applies so many targets, and counts the requests of each action
// by service and operation.
func countRequests(t *testing.T, server *fakeaws.Server, actions string, n int) map[string]int {
	t.Helper()
	bucket, table := fakeaws.CreateStore(t, server.Config())
	f := newFleet(t, actions, n, sample, fmt.Sprintf("artifact-storage: { region: us-east-1, bucket: %s, table: %s }\n", bucket, table))
	f.recordTerraform(t)
	token := f.github.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read", "pull_requests": "write", "statuses": "write"})

	var mu sync.Mutex
	counts := map[string]int{}
	action := ""
	trail := fakeaws.NewTrail(server)
	// moto copies the whole table for each transaction. Nothing here depends on what they write, so
	// they are only counted.
	trail.Refuse = func(w http.ResponseWriter, c fakeaws.Call) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		counts[action+": "+c.Service+" "+c.Operation]++
		if c.Operation != "TransactWriteItems" {
			return false, nil
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, err := w.Write([]byte("{}"))
		return true, err
	}
	endpoint := httptest.NewServer(trail)
	t.Cleanup(endpoint.Close)
	f.Environ = append(append(f.Environ, server.Environ()...), "AWS_ENDPOINT_URL="+endpoint.URL)

	asked := 0
	comment := map[string]string{"token": token, "pr-comment": "true"}
	dryRun := map[string]string{"token": token, "pr-comment": "true", "dry-run": "true"}
	for _, step := range []struct {
		name, action string
		inputs       map[string]string
	}{{"plan", "plan", comment}, {"review", "apply", dryRun}, {"apply", "apply", map[string]string{"token": token}}} {
		action = step.name
		r := f.run(t, step.action, step.inputs)
		t.Logf("%s of %d targets: %v, %d KB", action, n, r.took, r.peak)
		requests := f.github.Requests()
		for _, request := range requests[asked:] {
			counts[action+": GitHub "+request.Method+" "+number.ReplaceAllString(request.Path, "/N")]++
		}
		asked = len(requests)
	}
	return counts
}
