package fakerunner

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// httpBackend is a server for Terraform's http backend. While the story has a file named "refuse",
// it refuses writes; while it has one named "slow", a write does not end.
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
