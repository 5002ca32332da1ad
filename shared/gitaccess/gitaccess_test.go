package gitaccess

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"

// https://docs.github.com/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
func TestTheKeysOfGitHubAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	var got []string
	for rest := []byte(gitHub); len(rest) > 0; {
		_, hosts, key, _, next, err := ssh.ParseKnownHosts(rest)
		if err != nil || !slices.Equal(hosts, []string{"github.com"}) {
			t.Fatal(hosts, err)
		}
		got, rest = append(got, ssh.FingerprintSHA256(key)), next
	}
	want := []string{
		"SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
		"SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Git itself says what it would use for a URL.
func TestGitFindsTheCredentialsOfAURL(t *testing.T) {
	t.Parallel()
	access, err := Parse(strings.Join([]string{
		"https://all:t0k3n-0@git.example.com:8443", "", "https://team:t0k3n-1@git.example.com:8443/team", "https://one:t0k3n-2%40@git.example.com:8443/team/one.git",
	}, "\r\n"), key, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	environ := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=!echo username=machine; echo password=machine; :"}
	variables, remove, err := access.Give(dir, environ)
	if err != nil {
		t.Fatal(err)
	}
	git := func(input string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Env, cmd.Stdin = dir, slices.Concat(environ, variables), strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for url, want := range map[string]string{
		"https://git.example.com:8443/other/x.git":   "username=all\npassword=t0k3n-0\n",
		"https://git.example.com:8443/team/x.git":    "username=team\npassword=t0k3n-1\n",
		"https://git.example.com:8443/teams/x.git":   "username=all\npassword=t0k3n-0\n",
		"https://git.example.com:8443/team/one.git":  "username=one\npassword=t0k3n-2@\n",
		"https://elsewhere.example.com/team/one.git": "username=machine\npassword=machine\n",
	} {
		if got := git("url="+url+"\n\n", "credential", "fill"); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
	for url, want := range map[string]string{
		"git@git.example.com:team/x.git":           "https://git.example.com:8443/team/x.git",
		"ssh://git@git.example.com/team/x.git":     "https://git.example.com:8443/team/x.git",
		"ssh://git@elsewhere.example.com/team/one": "ssh://git@elsewhere.example.com/team/one",
	} {
		if got := strings.TrimSpace(git("", "ls-remote", "--get-url", url)); got != want {
			t.Errorf("%s becomes %s, want %s", url, got, want)
		}
	}
	if text := strings.Join(variables, "\n"); strings.Contains(text, "t0k3n") || strings.Contains(text, "PRIVATE") {
		t.Errorf("the variables have a secret:\n%s", text)
	}
	files := 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, _ error) error {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files++
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v", path, info.Mode())
			}
		}
		return nil
	})
	if err := remove(); err != nil || files != 5 {
		t.Errorf("%d files, %v", files, err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWhatIsNoAccessIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ credentials, key, hosts, want string }{
		{"https://u:s3cr3t@example.com\nhttp://u:s3cr3t@example.com", "", "", "line 2 is not https://"},
		{"u:s3cr3t@example.com", "", "", "line 1 is not"},
		{"https://u:s3cr3t@example.com/%zz", "", "", "line 1 is not"},
		{"https://u:s3cr3t@example.com/x?y", "", "", "line 1 is not"},
		{"https://s3cr3t@example.com", "", "", "line 1 needs a user and a token"},
		{"https://u:s3cr3t%0Ahost=evil@example.com", "", "", "line 1 needs"},
		{"", "s3cr3t", "", "`ssh-key` is not a private key"},
		{"", strings.ReplaceAll(key, "\n", " "), "", "`ssh-key` is not a private key"},
		{"", "", "example.com ssh-ed25519 AAAA", "without `ssh-key`"},
	} {
		_, err := Parse(test.credentials, test.key, test.hosts)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
