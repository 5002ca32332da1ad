package ghatest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/mototest"
)

// httpBackend is a server for Terraform's http backend. It refuses to write
// while the story has a file named "refuse", and takes its time, without end,
// while there is one named "slow".
func httpBackend(ts *testscript.TestScript, _ *story, _ []string) {
	var mu sync.Mutex
	var state []byte
	refuse, slow := ts.MkAbs("refuse"), ts.MkAbs("slow")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodGet && state == nil:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet:
			_, _ = w.Write(state)
		case r.Method == http.MethodPost:
			if _, err := os.Stat(refuse); err == nil {
				http.Error(w, "out of order", http.StatusForbidden)
				return
			}
			if _, err := os.Stat(slow); err == nil {
				_, _ = io.Copy(io.Discard, r.Body) // so that the end of the client is seen
				<-r.Context().Done()
				return
			}
			state, _ = io.ReadAll(r.Body)
		default:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("TF_HTTP_ADDRESS", server.URL+"/state")
}

// stores numbers the stories' buckets and tables.
var stores atomic.Int64

// aws gives the story an AWS account: a bucket and a table, an endpoint, and the
// runner's ID token service. There are no ambient credentials.
func aws(ts *testscript.TestScript, s *story, _ []string) {
	if s.AWS == nil {
		ts.Fatalf("this test has no AWS")
	}
	n := stores.Add(1)
	bucket, table := fmt.Sprintf("planfiles-%d", n), fmt.Sprintf("plans-%d", n)
	ts.Check(mototest.NewStore(context.Background(), s.AWS.Config(), bucket, table))
	claims, err := json.Marshal(map[string]string{"sub": "repo:" + repository + ":pull_request", "aud": "sts.amazonaws.com"})
	ts.Check(err)
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(claims) + "." + encode([]byte("signature"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer request-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
	}))
	ts.Defer(server.Close)
	for name, value := range map[string]string{
		"BUCKET": bucket, "TABLE": table,
		"AWS_ENDPOINT_URL": s.AWS.Endpoint, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"ACTIONS_ID_TOKEN_REQUEST_URL": server.URL + "/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
	} {
		ts.Setenv(name, value)
	}
}
