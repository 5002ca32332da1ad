package apply

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/dynamo"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

// claimedWork returns the apply of a target whose plan is claimed. The plan was made on a state of
// this lineage.
func claimedWork(t *testing.T, store *planstore.Store, lineage string) *Work {
	t.Helper()
	planfile := filepath.Join(t.TempDir(), "plan.tfplan")
	f, err := os.Create(planfile)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, content := range map[string]string{
		"tfplan": "", "tfstate": stateOf(lineage), "tfconfig/modules.json": "[]", ".terraform.lock.hcl": "",
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	run := planstore.Run{ID: "7", Attempt: 1}
	record := planstore.Record{
		Target: planstore.Target{Repository: "acme/infra", Component: "network", Stack: "dev"}, Commit: strings.Repeat("a", 40),
		Run: run, Kind: planstore.KindChange, Outcome: planstore.OutcomeChanges, ExpiresAt: time.Now().Add(time.Hour),
	}
	if record, err = store.Put(t.Context(), record, planfile); err != nil {
		t.Fatal(err)
	}
	if err := store.Claim(t.Context(), record, run, "mona", planstore.Audit{}); err != nil {
		t.Fatal(err)
	}
	w := &Work{
		Workspace: &workspace.Workspace{Context: gha.Context{RunID: run.ID, RunAttempt: run.Attempt}, Target: inventory.Target{Component: "network", Stack: "dev"}},
		options:   Options{Repository: &repository.Repository{}},
		store:     store, planfile: planfile, claimed: true,
	}
	w.stored.Record = record
	return w
}

func stateOf(lineage string) string {
	return fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":%q,"outputs":{},"resources":[]}`, lineage)
}

// Another target in the folder may have overwritten the state. Then it must not be stored as this
// target's, and must not get lost.
func TestOnlyTheTargetsOwnStateIsRescued(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		planned, left string
		rescued       bool
	}{
		"of the plan's lineage":              {"ours", stateOf("ours"), true},
		"of another lineage":                 {"ours", stateOf("theirs"), false},
		"of the first state there is":        {"", stateOf("ours"), true},
		"of a state that says nothing of it": {"ours", `{"encrypted_data":"…"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend, err := folder.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			store := planstore.New(backend, time.Now)
			w := claimedWork(t, store, c.planned)
			path := filepath.Join(t.TempDir(), "errored.tfstate")
			if err := os.WriteFile(path, []byte(c.left), 0o600); err != nil {
				t.Fatal(err)
			}
			err = w.rescueState(t.Context(), path)
			if c.rescued {
				if err != nil || w.outcome.RescuedState == nil {
					t.Fatalf("not rescued: %v", err)
				}
				if stored, err := os.ReadFile(w.outcome.RescuedState.StoredAt); err != nil || string(stored) != c.left {
					t.Errorf("stored %q, %v", stored, err)
				}
				if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("it is still there: %v", err)
				}
				return
			}
			if problem.CodeOf(err) != problem.ErroredState || !strings.Contains(err.Error(), path) || w.outcome.RescuedState != nil {
				t.Errorf("error %v, and the outcome says %+v", err, w.outcome.RescuedState)
			}
			if left, err := os.ReadFile(path); err != nil || string(left) != c.left {
				t.Errorf("left is %q, %v", left, err)
			}
		})
	}
}

// An upload that never ends must not prevent the claim from being finished.
func TestSlowRescueLeavesTimeToRecordTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := ""
		cfg := aws.Config{
			Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			HTTPClient: answer(func(r *http.Request) (*http.Response, error) {
				if slow != "" && strings.Contains(r.URL.Path, slow) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
			}),
		}
		w := claimedWork(t, planstore.New(dynamo.Open(cfg, "bucket", "table"), time.Now), "ours")
		path := filepath.Join(t.TempDir(), "errored.tfstate")
		if err := os.WriteFile(path, []byte(stateOf("ours")), 0o600); err != nil {
			t.Fatal(err)
		}
		slow = "errored-state"
		began := time.Now()
		w.record(t.Context(), path, planstore.Result{Status: planstore.StatusApplied})
		if took := time.Since(began); took < rescueTimeout {
			t.Errorf("the upload was given %v", took)
		}
		if w.trouble == nil || !strings.Contains(w.trouble.Error(), path) {
			t.Errorf("the error does not say where the state is: %v", w.trouble)
		}
		if !w.outcome.Applied {
			t.Errorf("the end of the apply is not recorded: %v", w.trouble)
		}
	})
}

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }
