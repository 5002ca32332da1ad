package fakegithub

import (
	"net/http"
	"strconv"
	"strings"
)

// Repository is one repository's issues, pull requests, labels, comments, commit statuses and runs
// of workflows, the events sent to it, and who may do what with it.
type Repository struct {
	server  *Server
	id      int64
	name    string // owner/name
	public  bool
	issues  []*issue // pull requests too; number n is at n-1
	labels  []string
	roles   map[string]string // by login in lower case
	commits map[string][]int  // numbers of the pull requests that a commit has to do with
	history []string          // commits, each of which follows the one before

	statuses   []Status // of all commits, the oldest first
	dispatches []Dispatch
	runs       map[int64]*run
}

// Repository is the repository owner/name. The first call makes it, private and empty.
func (s *Server) Repository(name string) *Repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositories[strings.ToLower(name)]
	if r == nil {
		r = &Repository{server: s, id: s.id(), name: name, roles: map[string]string{}, commits: map[string][]int{}, runs: map[int64]*run{}}
		s.repositories[strings.ToLower(name)] = r
	}
	return r
}

// MakePublic lets everybody read the repository.
func (r *Repository) MakePublic() {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.public = true
}

// Rename gives the repository another owner/name. Requests with the old name are redirected.
func (r *Repository) Rename(name string) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repositories, strings.ToLower(r.name))
	s.renamed[strings.ToLower(r.name)] = r
	r.name = name
	s.repositories[strings.ToLower(name)] = r
}

func (s *Server) repository(c call) *Repository {
	return s.repositories[strings.ToLower(c.PathValue("owner")+"/"+c.PathValue("repo"))]
}

// moved is a redirect to a new place. GitHub's redirects name repositories by ID.
// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
func moved(status int, r *Repository, rest string) answer {
	a := failure(status, http.StatusText(status))
	location := "/repositories/" + strconv.FormatInt(r.id, 10) + rest
	a.header = http.Header{"Location": {location}}
	a.body.(object)["url"] = "https://api.github.com" + location
	return a
}

// renamedTo redirects a request for a repository that was renamed. Status 0 means no redirect.
// s.mu is held.
func (s *Server) renamedTo(r *http.Request) answer {
	name := r.PathValue("owner") + "/" + r.PathValue("repo")
	repo := s.renamed[strings.ToLower(name)]
	if repo == nil || s.repositories[strings.ToLower(name)] != nil {
		return answer{}
	}
	rest := strings.TrimPrefix(r.URL.EscapedPath(), "/repos/"+name)
	if r.URL.RawQuery != "" {
		rest += "?" + r.URL.RawQuery
	}
	if r.Method == http.MethodGet {
		return moved(http.StatusMovedPermanently, repo, rest)
	}
	return moved(http.StatusTemporaryRedirect, repo, rest)
}

// byID turns a redirected request into one with the repository's name.
func (s *Server) byID(r *http.Request) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.Path, "/repositories/")
	if !ok {
		return r
	}
	id, rest, _ := strings.Cut(rest, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, repo := range s.repositories {
		if strconv.FormatInt(repo.id, 10) == id {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = strings.TrimSuffix("/repos/"+repo.name+"/"+rest, "/"), ""
			return r
		}
	}
	return r
}

func (s *Server) getRepository(c call) answer {
	r := s.repository(c)
	o, err := exampleOf("full-repository-default-response")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	for _, of := range []string{"source", "parent", "template_repository", "organization"} {
		delete(o, of) // those in the example do not fit the description
	}
	owner, name, _ := strings.Cut(r.name, "/")
	o["id"], o["name"], o["full_name"], o["private"] = r.id, name, r.name, !r.public
	o["owner"] = simpleUser(o["owner"].(object), owner)
	o["language"] = nil // the example has none
	o["url"], o["html_url"] = s.link(false, "/repos/%s", r.name), s.link(true, "/%s", r.name)
	return answer{status: http.StatusOK, body: o}
}
