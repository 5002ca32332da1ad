package fakegithub

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
)

// Permissions is what a token may do, in the names of GitHub's API: "pull_requests": "write".
// Nil is a person's token, which may do anything.
type Permissions map[string]string

type account struct {
	login       string
	permissions Permissions
}

// may reports whether a token has one of the permissions at a level. Any token may read
// metadata.
func (a account) may(level string, permissions ...string) bool {
	if a.permissions == nil {
		return true
	}
	for _, name := range permissions {
		if held := a.permissions[name]; held == level || held == "write" || name == "metadata" {
			return true
		}
	}
	return false
}

// Token is a workflow's own token: of github-actions[bot], with contents: read and
// pull-requests: write.
func (s *Server) Token() string { return s.token }

// NewToken makes a token of an account: a person, or an app, whose login ends in "[bot]".
func (s *Server) NewToken(login string, permissions Permissions) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("ghs_%036d", len(s.accounts)+1)
	s.accounts[token] = account{login, permissions}
	return token
}

func bearer(r *http.Request) string {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return token
}

// accountOf is the account of a request's token; s.mu is held.
func (s *Server) accountOf(r *http.Request) account { return s.accounts[bearer(r)] }

// allowed refuses a request like GitHub: for an account that may not see something, it does
// not exist. Status 0 means that the request is allowed. s.mu is held.
func (s *Server) allowed(r *http.Request, op operation) answer {
	account, known := s.accounts[bearer(r)]
	if !known && bearer(r) != "" {
		return failure(http.StatusUnauthorized, "Bad credentials")
	}
	if r.PathValue("org") != "" {
		if !account.may(op.level, op.permissions...) || !known {
			return failure(http.StatusForbidden, "Resource not accessible by integration")
		}
		return answer{}
	}
	if redirect := s.renamedTo(r); redirect.status != 0 {
		return redirect
	}
	repo := s.repositories[strings.ToLower(r.PathValue("owner")+"/"+r.PathValue("repo"))]
	switch {
	case repo == nil || !known && !repo.public:
		return failure(http.StatusNotFound, "Not Found")
	case !known && op.level == "write":
		return failure(http.StatusUnauthorized, "Requires authentication")
	case known && !account.may(op.level, op.permissions...) && !(repo.public && op.level == "read"):
		return failure(http.StatusForbidden, "Resource not accessible by integration")
	}
	return answer{}
}

// simpleUser is an account as it appears inside other answers.
func simpleUser(example object, login string) object {
	user := copyOf(example)
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	user["login"], user["type"], user["id"] = login, kind, hash(login)
	user["html_url"] = "https://github.com/" + login
	return user
}

// hash makes a number of a name.
func hash(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum32()
}

func copyOf(o object) object {
	c := make(object, len(o))
	for k, v := range o {
		c[k] = v
	}
	return c
}
