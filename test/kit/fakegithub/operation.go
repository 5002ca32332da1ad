package fakegithub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// operation is one call in GitHub's description that the server can answer.
type operation struct {
	method, path string // as the description writes them
	level        string // "read" or "write": what it needs of one of the permissions below
	permissions  []string
	serve        func(*Server, call) answer // called with the server's state locked
}

// operations are all calls that the server answers. To add one, add a line here.
var operations = []operation{
	{"GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "read", []string{"pull_requests"}, (*Server).listPullRequestsOfCommit},
	{"GET", "/repos/{owner}/{repo}/pulls/{pull_number}", "read", []string{"pull_requests"}, (*Server).getPullRequest},
	{"GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "read", []string{"pull_requests"}, (*Server).listReviews},
	{"GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", "read", []string{"pull_requests"}, (*Server).listFiles},
	{"GET", "/repos/{owner}/{repo}/actions/runs/{run_id}", "read", []string{"actions"}, (*Server).getRun},
	{"GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/approvals", "read", []string{"actions"}, (*Server).listRunApprovals},
	{"GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", "read", []string{"issues", "pull_requests"}, (*Server).listComments},
	{"POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", "write", []string{"issues", "pull_requests"}, (*Server).createComment},
	{"PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", "write", []string{"issues", "pull_requests"}, (*Server).updateComment},
	{"GET", "/repos/{owner}/{repo}/issues", "read", []string{"issues"}, (*Server).listIssues},
	{"POST", "/repos/{owner}/{repo}/issues", "write", []string{"issues"}, (*Server).createIssue},
	{"GET", "/repos/{owner}/{repo}/issues/{issue_number}", "read", []string{"issues", "pull_requests"}, (*Server).getIssue},
	{"PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", "write", []string{"issues", "pull_requests"}, (*Server).updateIssue},
	{"POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", "write", []string{"issues", "pull_requests"}, (*Server).addLabels},
	{"DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", "write", []string{"issues", "pull_requests"}, (*Server).removeLabel},
	{"GET", "/repos/{owner}/{repo}/issues/{issue_number}/events", "read", []string{"issues", "pull_requests"}, (*Server).listEvents},
	{"GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", "read", []string{"metadata"}, (*Server).getPermission},
	{"GET", "/repos/{owner}/{repo}", "read", []string{"metadata"}, (*Server).getRepository},
	{"GET", "/orgs/{org}/teams/{team_slug}/members", "read", []string{"members"}, (*Server).listTeamMembers},
	{"GET", "/repos/{owner}/{repo}/pulls", "read", []string{"pull_requests"}, (*Server).listPullRequests},
	{"GET", "/repos/{owner}/{repo}/commits/{ref}/status", "read", []string{"statuses"}, (*Server).combinedStatus},
	{"POST", "/repos/{owner}/{repo}/statuses/{sha}", "write", []string{"statuses"}, (*Server).createStatus},
	{"GET", "/repos/{owner}/{repo}/compare/{basehead}", "read", []string{"contents"}, (*Server).compareCommits},
	{"POST", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", "write", []string{"actions"}, (*Server).startWorkflow},
}

// accepted is the header in which GitHub names the permissions that would be enough.
func (op operation) accepted() string {
	return strings.Join(op.permissions, "="+op.level+"; ") + "=" + op.level
}

// call is a request that fits the description and is allowed.
type call struct {
	*http.Request
	body    []byte
	account account
}

// answer is the server's answer, with a body that is marshalled as JSON.
type answer struct {
	status int
	header http.Header
	body   any
}

// failure is an error answer in GitHub's words.
func failure(status int, message string) answer {
	return answer{status: status, body: object{
		"message":           message,
		"documentation_url": "https://docs.github.com/rest",
		"status":            strconv.Itoa(status),
	}}
}

// sent is an answer as it was sent.
type sent struct {
	status int
	header http.Header
	body   []byte
}

// write sends an answer with the headers that every answer of GitHub has. A fault may set its own.
func (s *Server) write(w http.ResponseWriter, a answer) sent {
	body, err := json.Marshal(a.body)
	if err != nil {
		s.report("fakegithub: marshal an answer: %v", err)
	}
	s.mu.Lock()
	used := len(s.requests) + 1
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-RateLimit-Limit", "5000")
	h.Set("X-RateLimit-Used", strconv.Itoa(used))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(5000-used, 1)))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
	for name, values := range a.header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(a.status)
	if a.status == http.StatusNotModified || a.status == http.StatusNoContent {
		return sent{a.status, h, nil}
	}
	_, _ = w.Write(body) // a client that is gone needs no answer
	return sent{a.status, h, body}
}

// checkRequest checks a request against the description. It also refuses unknown query
// parameters and fields, which OpenAPI allows and GitHub ignores: they may be typing errors.
func (s *Server) checkRequest(r *http.Request, op operation, body []byte) error {
	if s.description == nil {
		return nil
	}
	input := s.input(r, op)
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, parameters := range []openapi3.Parameters{input.Route.PathItem.Parameters, input.Route.Operation.Parameters} {
		for _, p := range parameters {
			known[p.Value.In+" "+p.Value.Name] = true
		}
	}
	for name := range r.URL.Query() {
		if !known["query "+name] && !slices.Contains(op.links(), name) {
			return fmt.Errorf("query parameter %q is not described", name)
		}
	}
	if len(body) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return err
	}
	schema := input.Route.Operation.RequestBody.Value.Content.Get("application/json").Schema.Value
	for name := range fields {
		described := schema.Properties[name] != nil
		for _, one := range schema.OneOf {
			described = described || one.Value.Properties[name] != nil
		}
		if !described {
			return fmt.Errorf("field %q is not described", name)
		}
	}
	return nil
}

// checkAnswer checks an answer against the description. GitHub describes only some errors of
// each call; the others have the common form.
func (s *Server) checkAnswer(r *http.Request, op operation, a sent) error {
	if s.description == nil {
		return nil
	}
	input := s.input(r, op)
	if a.status == http.StatusNotModified {
		return nil // described for few calls, and answered to any read
	}
	if input.Route.Operation.Responses.Status(a.status) == nil {
		if a.status < 300 {
			return fmt.Errorf("status %d is not described", a.status)
		}
		var value any
		if err := json.Unmarshal(a.body, &value); err != nil {
			return err
		}
		return s.description.Components.Schemas["basic-error"].Value.VisitJSON(value, openapi3.VisitAsResponse())
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input,
		Status:                 a.status,
		Header:                 a.header,
		Body:                   io.NopCloser(bytes.NewReader(a.body)),
		Options:                input.Options,
	})
}

func (s *Server) input(r *http.Request, op operation) *openapi3filter.RequestValidationInput {
	item := s.description.Paths.Value(op.path)
	values := map[string]string{}
	for _, part := range strings.Split(op.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			values[name] = r.PathValue(name)
		}
	}
	options := &openapi3filter.Options{RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true}
	options.WithCustomSchemaErrorFunc(func(err *openapi3.SchemaError) string {
		return fmt.Sprintf("at /%s: %s", strings.Join(err.JSONPointer(), "/"), err.Reason) // and not the whole schema
	})
	return &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: values,
		Route: &routers.Route{
			Spec: s.description, Path: op.path, PathItem: item, Method: op.method, Operation: item.GetOperation(op.method),
		},
		Options: options,
	}
}

// page is the requested part of a list, with the Link header to the other parts.
func page[T any](r *http.Request, all []T) ([]T, http.Header) {
	query := r.URL.Query()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(query.Get(name)); err == nil && n > 0 {
			return n
		}
		return otherwise
	}
	size, current := min(number("per_page", 30), 100), number("page", 1)
	last := max((len(all)+size-1)/size, 1)
	var links []string
	link := func(rel string, page int) {
		query.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<http://%s%s?%s>; rel=%q`, r.Host, r.URL.Path, query.Encode(), rel))
	}
	if current > 1 {
		link("prev", current-1)
		link("first", 1)
	}
	if current < last {
		link("next", current+1)
		link("last", last)
	}
	header := http.Header{}
	if len(links) > 0 {
		header.Set("Link", strings.Join(links, ", "))
	}
	start := min(current-1, last) * size
	start = min(start, len(all))
	return all[start:min(start+size, len(all))], header
}
