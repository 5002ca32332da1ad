package fakegithub

import (
	"encoding/json"
	"net/http"
	"strings"
)

// serveGraphQL answers the one query for which REST has no call: whose token it is. GraphQL is
// not in the OpenAPI description, so the query is compared word by word.
func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	var request struct{ Query string }
	err := json.NewDecoder(r.Body).Decode(&request)
	if words := strings.Join(strings.Fields(request.Query), " "); err != nil || words != "query { viewer { login } }" {
		s.report("fakegithub: GraphQL query %q is not served (%v)", request.Query, err)
		s.write(w, failure(http.StatusBadRequest, "Problems parsing JSON"))
		return
	}
	s.mu.Lock()
	account, known := s.accounts[bearer(r)]
	s.mu.Unlock()
	if !known {
		s.write(w, failure(http.StatusUnauthorized, "Bad credentials"))
		return
	}
	s.write(w, answer{status: http.StatusOK, body: object{"data": object{"viewer": object{"login": account.login}}}})
}
