package fakerunner

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakegit"
)

// gitServer starts a Git server with a repository for each of the story's folders modules/OWNER/NAME.
func gitServer(ts *testscript.TestScript, s *story, _ []string) {
	repositories := ts.MkAbs(filepath.Join("private", "repositories"))
	sources, err := filepath.Glob(filepath.Join(ts.MkAbs("modules"), "*", "*"))
	ts.Check(err)
	for _, source := range sources {
		name := filepath.Base(filepath.Dir(source)) + "/" + filepath.Base(source)
		for _, args := range [][]string{
			{"init", "--quiet", "--initial-branch=main"}, {"add", "--all"},
			{"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "commit", "--quiet", "--message", "Publish"},
			{"clone", "--quiet", "--bare", ".", filepath.Join(repositories, name+".git")},
		} {
			git := exec.Command("git", args...)
			git.Dir, git.Env = source, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
			out, err := git.CombinedOutput()
			ts.Logf("%s", out)
			ts.Check(err)
		}
		ts.Check(os.RemoveAll(source)) // Terraform must not find it here
	}
	server, err := fakegit.Start(repositories, map[string]string{"acme": "t0k3n-of-acme", "acme/secret": "t0k3n-of-secret"})
	ts.Check(err)
	ts.Defer(server.Close)
	for name, content := range map[string]string{
		"ca.pem": server.Certificate, "known_hosts": server.KnownHosts, "key": server.PrivateKey,
		"credentials": "https://" + fakegit.User + ":t0k3n-of-acme@" + server.HTTPS + "/acme\nhttps://" + fakegit.User + ":t0k3n-of-secret@" + server.HTTPS + "/acme/secret.git\n",
	} {
		ts.Check(os.WriteFile(ts.MkAbs(filepath.Join("private", name)), []byte(content), 0o600))
	}
	ts.Setenv("GIT_SSL_CAINFO", ts.MkAbs(filepath.Join("private", "ca.pem")))
	ts.Setenv("HTTPS", server.HTTPS)
	ts.Setenv("SSH", server.SSH)
}
