// Package gitaccess gives Git access to private repositories, for modules that `terraform init`
// fetches: over HTTPS with a user and a token, over SSH with a key.
//
// Everything is in environment variables, and in files with mode 0600 that they name. The variables
// hold no secret, and no secret becomes a part of a URL: Git writes a repository's URL into the
// .git/config of its clone, which stays on the runner.
package gitaccess

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-gitops/gitops/shared/envlist"
)

// Access is what Git may use. The zero value is nothing.
type Access struct {
	credentials []credential
	key         string // a private key; empty: no access over SSH
	knownHosts  string // lines of a known_hosts file, besides those of GitHub
}

// credential is for the repositories of a host below a path.
type credential struct {
	host           string // with the port, if there is one
	path           string // without slashes around it; empty: all of the host
	user, password string
}

// gitHub has the keys of github.com, as GitHub publishes them.
// https://docs.github.com/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
const gitHub = `github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=
github.com ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCj7ndNxQowgcQnjshcLrqPEiiphnt+VTTvDP6mHBL9j1aNUkY4Ue1gvwnGLVlOhGeYrnZaMgRK6+PKCUXaDbC7qtbW8gIkhL7aGCsOr/C56SJMy/BCZfxd1nWzAOxSDPgVsmerOBYfNqltV9/hWCqBywINIR+5dIg6JTJ72pcEpEjcYgXkE2YEFXV1JHnsKgbLWNlhScqb2UmyRkQyytRLtL+38TGxkxCflmO+5Z8CSSNY7GidjMIZ7Q4zMjA2n1nGrlTDkzwDCsw+wqFPGQA179cnfGWOWRVruj16z6XyvxvjJwbz0wQZ75XK5tKSb7FNyeIEs4TT4jk+S4dhPeAUC5y+bDYirYgM4GC7uEnztnZyaVWQ7B381AK4Qdrwt51ZqExKbQpTUNn+EjqoTwvqNj4kqx5QUCI0ThS/YkOxJCXmPUWZbhjpCg56i+2aB6CmK2JGhn57K5mj0MNdBXA4/WnwH6XoPWJzK5Nyu2zB3nAZp+S5hpQs+p1vN1/wsjk=
`

// Parse reads lines https://user:token@host/path-prefix, a private key, and lines of a known_hosts
// file. An error names the input, and nothing of its text, which may be a secret.
func Parse(credentials, key, knownHosts string) (Access, error) {
	a := Access{key: lines(key), knownHosts: lines(knownHosts)}
	for i, line := range strings.Split(credentials, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		u, err := url.Parse(line)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return Access{}, fmt.Errorf("input `git-credentials`: line %d is not https://user:token@host or https://user:token@host/path", i+1)
		}
		c := credential{host: strings.ToLower(u.Host), path: strings.Trim(u.EscapedPath(), "/"), user: u.User.Username()}
		c.password, _ = u.User.Password()
		if c.user == "" || c.password == "" || strings.ContainsAny(c.user+c.password, "\x00\r\n") {
			return Access{}, fmt.Errorf("input `git-credentials`: line %d needs a user and a token before the host: https://user:token@host (for GitHub, the user is x-access-token)", i+1)
		}
		a.credentials = append(a.credentials, c)
	}
	switch {
	case a.key != "" && !(strings.HasPrefix(a.key, "-----BEGIN ") && strings.Contains(a.key, "PRIVATE KEY-----\n") && strings.Contains(a.key, "\n-----END ")):
		return Access{}, errors.New("input `ssh-key` is not a private key in a text of several lines, from -----BEGIN to -----END")
	case a.key == "" && a.knownHosts != "":
		return Access{}, errors.New("input `ssh-known-hosts` is given without `ssh-key`: give both, or neither")
	}
	// The most specific one first: of those that match a URL less, Git takes none that follows.
	slices.SortStableFunc(a.credentials, func(x, y credential) int { return cmp.Compare(len(y.path), len(x.path)) })
	return a, nil
}

// lines returns a text with the line ends that OpenSSH reads.
func lines(text string) string {
	if text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); text == "" {
		return ""
	}
	return text + "\n"
}

// Secrets returns what must not be shown.
func (a Access) Secrets() (all []string) {
	for _, c := range a.credentials {
		all = append(all, c.password, url.UserPassword(c.user, c.password).String())
	}
	if a.key != "" {
		all = append(all, a.key)
	}
	return all
}

// Give writes the files into a new folder in dir, and returns the variables to add to an environment
// of Git. They extend the configuration that environ gives Git. remove removes the files.
func (a Access) Give(dir string, environ []string) (variables []string, remove func() error, err error) {
	variables, remove = []string{"GIT_TERMINAL_PROMPT=0"}, func() error { return nil } // nobody can answer
	if len(a.credentials) == 0 && a.key == "" {
		return variables, remove, nil
	}
	folder, err := os.MkdirTemp(dir, "git-") // mode 0700
	if err != nil {
		return nil, nil, fmt.Errorf("make a private folder for Git's credentials: %w", err)
	}
	remove = func() error { return os.RemoveAll(folder) }
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		err = errors.Join(err, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	count, _ := strconv.Atoi(envlist.Value(environ, "GIT_CONFIG_COUNT"))
	set := func(key, value string) {
		variables = append(variables, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", count, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", count, value))
		count++
	}
	for _, c := range a.credentials {
		set("credential.https://"+c.host+".helper", "") // none of the machine's
	}
	for i, c := range a.credentials {
		file := write("credential-"+strconv.Itoa(i), "username="+c.user+"\npassword="+c.password+"\n")
		set("credential."+c.url()+".helper", `!f() { test "$1" = get && cat `+quoted(file)+`; }; f`)
		name := (&url.URL{Host: c.host}).Hostname() // the port is that of https
		for _, ssh := range []string{"git@" + name + ":", "ssh://git@" + name + "/"} {
			set("url."+c.below("https://"+c.host+"/")+".insteadOf", c.below(ssh))
		}
	}
	if count > 0 {
		variables = append(variables, "GIT_CONFIG_COUNT="+strconv.Itoa(count))
	}
	if a.key != "" {
		key, hosts := write("key", a.key), write("known_hosts", gitHub+a.knownHosts)
		variables = append(variables, "GIT_SSH_COMMAND=ssh -o "+fileOption("IdentityFile", key)+" -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes"+
			" -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o "+fileOption("UserKnownHostsFile", hosts))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("write Git's credentials: %w", err), remove())
	}
	return variables, remove, nil
}

// url is the URL that the credential is for. Git compares whole segments of its path.
func (c credential) url() string { return strings.TrimSuffix(c.below("https://"+c.host+"/"), "/") }

// below returns the beginning of the URLs of the repositories, after a host's own.
func (c credential) below(host string) string {
	switch {
	case c.path == "":
		return host
	case strings.HasSuffix(c.path, ".git"): // one repository
		return host + c.path
	}
	return host + c.path + "/"
}

// fileOption sets an option of ssh. The path may have spaces, which separate files there, and a percent
// sign, which begins a token such as %d.
func fileOption(name, path string) string {
	return quoted(name + `="` + strings.ReplaceAll(path, "%", "%%") + `"`)
}

// quoted makes one word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
