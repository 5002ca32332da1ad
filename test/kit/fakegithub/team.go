package fakegithub

import (
	"net/http"
	"slices"
	"strings"
)

// AddTeam makes a team of an organization, or replaces its members.
func (s *Server) AddTeam(org, slug string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.teams[strings.ToLower(org+"/"+slug)] = slices.Clone(members)
}

func (s *Server) listTeamMembers(c call) answer {
	members, ok := s.teams[strings.ToLower(c.PathValue("org")+"/"+c.PathValue("team_slug"))]
	if !ok {
		return failure(http.StatusNotFound, "Not Found")
	}
	members, header := page(c.Request, members)
	list := []object{}
	for _, member := range members {
		o, err := exampleOf("team-member-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		list = append(list, simpleUser(o, member))
	}
	return answer{status: http.StatusOK, header: header, body: list}
}
