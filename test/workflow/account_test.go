package workflow

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/dynamo"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// account is a team's AWS account: a plan store, roles, and GitHub as an identity provider.
type account struct {
	t             *testing.T
	bucket, table string
	trail         *fakeaws.Trail
	endpoint      string // the trail's
	tokens        string // the address of the runner's service for ID tokens
	store         *planstore.Store
	trusted       map[string][]string // the subjects that each role trusts
}

// trusted are the subjects that the roles trust: the defaults of modules/github-oidc-roles. moto doesn't
// check them.
var trusted = map[string][]string{
	"acme-plan":          planners,
	"acme-plan-storage":  planners,
	"acme-apply":         appliers,
	"acme-apply-storage": appliers,
	"acme-drift-storage": {"ref:refs/heads/main"},
}

var (
	planners = []string{"pull_request", "ref:refs/heads/*"}
	appliers = []string{"environment:production"}
)

func newAccount(t *testing.T) *account {
	t.Helper()
	moto := fakeaws.Start(t)
	a := &account{t: t, trail: fakeaws.NewTrail(moto), trusted: maps.Clone(trusted)}
	a.trail.Refuse = a.refuse
	a.bucket, a.table = fakeaws.CreateStore(t, moto.Config())
	a.store = planstore.New(dynamo.Open(moto.Config(), a.bucket, a.table), time.Now)
	for at, handler := range map[*string]http.Handler{&a.endpoint: a.trail, &a.tokens: http.HandlerFunc(giveIDToken)} {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		*at = server.URL
	}
	t.Cleanup(a.wantRolesApart)
	return a
}

// settings are the settings in gitops.yaml, as modules/github-oidc-roles/examples/complete prints them.
func (a *account) settings() string {
	return strings.NewReplacer("BUCKET", a.bucket, "TABLE", a.table, "ROLE", "arn:aws:iam::123456789012:role/acme").Replace(`artifact-storage:
  region: us-east-1
  bucket: BUCKET
  table: TABLE
  role:
    plan: ROLE-plan-storage
    apply: ROLE-apply-storage
    drift: ROLE-drift-storage
role:
  plan: ROLE-plan
  apply: ROLE-apply
`)
}

// refuse enforces the roles' trust policies.
func (a *account) refuse(w http.ResponseWriter, call fakeaws.Call) (bool, error) {
	if call.Session == "" {
		return false, nil
	}
	c, err := taker(call)
	if err != nil {
		return false, err
	}
	subject, of := strings.CutPrefix(c.Subject, "repo:"+name+":")
	if of && c.Audience == "sts.amazonaws.com" && slices.ContainsFunc(a.trusted[call.Role], func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*") // in IAM, * also matches slashes
		return subject == pattern || open && strings.HasPrefix(subject, prefix)
	}) {
		return false, nil
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusForbidden)
	_, err = io.WriteString(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>AccessDenied</Code>`+
		`<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
	return true, err
}

// calls returns the calls to AWS that a job of a run made, beginning with those for its credentials.
func (a *account) calls(run, job string) (calls []fakeaws.Call) {
	a.t.Helper()
	given := map[string]bool{} // access keys
	for _, call := range a.trail.Calls() {
		if call.Session != "" {
			c, err := taker(call)
			if err != nil {
				a.t.Fatal(err)
			}
			given[call.AccessKey] = c.Run == run && c.Job == job
		}
		if given[call.AccessKey] {
			calls = append(calls, call)
		}
	}
	return calls
}

// wantRolesApart checks that no role of Terraform, and nobody without a role, reached the plan store.
func (a *account) wantRolesApart() {
	for _, call := range a.trail.Calls() {
		if (call.Service == "s3" || call.Service == "dynamodb") && !strings.HasSuffix(call.Role, "-storage") {
			a.t.Errorf("%s %s %s was asked for with the role %q", call.Service, call.Operation, call.URL, call.Role)
		}
	}
}

// changePlan returns the stored plan of a target for a commit.
func (a *account) changePlan(component, stack, commit string) planstore.Stored {
	a.t.Helper()
	stored, err := a.store.Find(a.t.Context(), planstore.Target{Repository: name, Component: component, Stack: stack}, commit)
	if err != nil {
		a.t.Fatal(err)
	}
	return stored
}

// driftPlan returns the plan that a run stored for a drifted target.
func (a *account) driftPlan(component, stack string, r *run) planstore.Stored {
	a.t.Helper()
	results, err := drift.In(a.store).Results(a.t.Context(), name, r.id)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, result := range results {
		if result.Component != component || result.Stack != stack {
			continue
		}
		stored, err := a.store.FindRecord(a.t.Context(), result.Target, result.RecordID)
		if err != nil {
			a.t.Fatal(err)
		}
		return stored
	}
	a.t.Fatalf("the run %s found nothing of %s in %s: %+v", r.id, component, stack, results)
	return planstore.Stored{}
}

// wantApplied checks that a job applied a plan. The claim names its run and says so, and the job fetched
// the planfile, which is still the one in the bucket.
func (a *account) wantApplied(stored planstore.Stored, by *job) {
	a.t.Helper()
	record := stored.Record
	if stored.Status != planstore.StatusApplied || stored.Claim.Run.ID != by.id {
		a.t.Errorf("the plan of %s is %s, by the claim %+v, want applied by the run %s", record.Target, stored.Status, stored.Claim, by.id)
	}
	// Fetch compares the object with the digest in the record.
	if _, err := a.store.Fetch(a.t.Context(), record, filepath.Join(a.t.TempDir(), "planfile")); err != nil {
		a.t.Error(err)
	}
	if !slices.ContainsFunc(by.calls, func(call fakeaws.Call) bool {
		return call.Service == "s3" && call.Operation == http.MethodGet &&
			call.URL.Path == "/"+a.bucket+"/"+record.ObjectKey && call.URL.Query().Get("versionId") == record.ObjectVersion
	}) {
		a.t.Errorf("the job did not fetch %s", record.ObjectKey)
	}
}
