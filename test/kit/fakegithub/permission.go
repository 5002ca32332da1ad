package fakegithub

import (
	"net/http"
	"strings"
)

// legacy is the older name that GitHub has for each built-in role.
var legacy = map[string]string{
	"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin",
}

// SetPermission gives a person a role in the repository: "none", "read", "triage", "write",
// "maintain" or "admin", or an organization's custom role as "NAME:BASE". A person with a
// role can be assigned to issues. A person without one may read a public repository.
func (r *Repository) SetPermission(login, role string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	_, base, custom := strings.Cut(role, ":")
	if _, known := legacy[role]; !known && !(custom && legacy[base] == base) {
		r.server.report("fakegithub: %q is not a role", role)
	}
	r.roles[strings.ToLower(login)] = role
}

// role is a person's role, or nothing.
func (r *Repository) role(login string) string { return r.roles[strings.ToLower(login)] }

func (s *Server) getPermission(c call) answer {
	r, login := s.repository(c), c.PathValue("username")
	if strings.HasSuffix(login, "[bot]") {
		return failure(http.StatusNotFound, login+" is not a user")
	}
	role := r.role(login)
	switch {
	case role == "" && r.public:
		role = "read"
	case role == "":
		role = "none"
	}
	name, permission, custom := strings.Cut(role, ":")
	if !custom {
		permission = legacy[role]
	}
	o, err := exampleOf("repository-collaborator-permission-response-if-user-has-admin-permissions")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	user := simpleUser(o["user"].(object), login)
	user["role_name"] = name
	o["permission"], o["role_name"], o["user"] = permission, name, user
	return answer{status: http.StatusOK, body: o}
}
