package repository_test

import (
	"bytes"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// The repository is private, and actions/checkout kept no credentials (persist-credentials: false).
func TestTheBaseIsFetchedWithTheToken(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	backend, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	smart := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(backend)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + filepath.Dir(o.dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "x-access-token" || password != "the-token" {
			w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		smart.ServeHTTP(w, r)
	}))
	defer server.Close()
	for token, want := range map[string]string{
		"the-token": "network in dev: changed: components/network/main.tf",
		"another":   "error: the workspace does not have commit " + git.Short(o.main),
		"":          "error: the workspace does not have commit " + git.Short(o.main),
	} {
		w := o.clone("merge", repository.Inputs{}, "--depth=1")
		w.origin.git("remote", "set-url", "origin", server.URL+"/"+filepath.Base(o.dir)+"/.git")
		w.log = &bytes.Buffer{}
		w.Repository = open(t, w.origin.dir, w.temp, repository.Inputs{Token: token}, w.log, "GITHUB_SERVER_URL="+server.URL)
		if got := w.affected(o.main, false); !strings.HasPrefix(got, want) || token != "" && strings.Contains(got, token) {
			t.Errorf("token %q: %s", token, got)
		}
		if config := w.origin.git("config", "--list"); strings.Contains(config, "extraheader") {
			t.Errorf("the token is left in the workspace: %s", config)
		}
	}
}
