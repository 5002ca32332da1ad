package fakegithub

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The queries for which REST has no call.
const (
	whoseToken    = "query { viewer { login } }"
	reviewEditors = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequestReview { id lastEditedAt editor { login } } } }"
)

// serveGraphQL answers whose token it is, and who edited reviews. GraphQL is not in the OpenAPI
// description, so queries are compared word by word.
func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Query     string
		Variables struct{ IDs []string }
	}
	err := json.NewDecoder(r.Body).Decode(&request)
	words := strings.Join(strings.Fields(request.Query), " ")
	if err != nil || words != whoseToken && words != reviewEditors {
		s.report("fakegithub: GraphQL query %q is not served (%v)", request.Query, err)
		s.write(w, failure(http.StatusBadRequest, "Problems parsing JSON"))
		return
	}
	s.mu.Lock()
	account, known := s.accounts[bearer(r)]
	body := object{"data": object{"viewer": object{"login": account.login}}}
	if words == reviewEditors {
		body = s.reviewNodes(account, request.Variables.IDs)
	}
	s.mu.Unlock()
	if !known {
		s.write(w, failure(http.StatusUnauthorized, "Bad credentials"))
		return
	}
	s.write(w, answer{status: http.StatusOK, body: body})
}
