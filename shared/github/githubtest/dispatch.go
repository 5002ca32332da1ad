package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Dispatch is a repository_dispatch event that was sent. It starts nothing here.
type Dispatch struct {
	Type    string
	Payload json.RawMessage // its client_payload; empty: none was given
	Sender  string
}

// maxPayload is GitHub's limit on a client_payload, in bytes.
const maxPayload = 64 << 10

// Dispatches lists those sent so far, in their order.
func (r *Repository) Dispatches() []Dispatch {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return slices.Clone(r.dispatches)
}

func (s *Server) createDispatch(c call) answer {
	r := s.repository(c)
	var f struct {
		EventType     string          `json:"event_type"`
		ClientPayload json.RawMessage `json:"client_payload"`
	}
	_ = json.Unmarshal(c.body, &f) // the description was checked already
	if len(f.ClientPayload) >= maxPayload {
		return failure(http.StatusUnprocessableEntity, "client_payload is too large.")
	}
	r.dispatches = append(r.dispatches, Dispatch{Type: f.EventType, Payload: f.ClientPayload, Sender: c.account.login})
	return answer{status: http.StatusNoContent}
}
