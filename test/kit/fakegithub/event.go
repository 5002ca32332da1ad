package fakegithub

import (
	"net/http"
	"slices"
	"time"
)

// Event is an entry in the history of an issue.
type Event struct {
	ID    int64
	Kind  string // "labeled", "unlabeled", "closed", "reopened"
	Actor string
	Label string
	At    time.Time
}

// Events lists the events of an issue, the oldest first.
func (r *Repository) Events(number int) []Event {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.issue(number); i != nil {
		return slices.Clone(i.events)
	}
	return nil
}

func (r *Repository) event(i *issue, e Event) {
	e.ID, e.At = r.server.id(), r.server.now()
	i.events = append(i.events, e)
}

func (s *Server) listEvents(c call) answer {
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	r := s.repository(c)
	events, header := page(c.Request, i.events)
	list := []object{}
	for _, e := range events {
		o, err := exampleOf("issue-event-for-issue-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		o["id"], o["event"], o["created_at"] = e.ID, e.Kind, timestamp(e.At)
		o["url"] = s.link(false, "/repos/%s/issues/events/%d", r.name, e.ID)
		o["actor"] = simpleUser(o["actor"].(object), e.Actor)
		o["commit_id"], o["commit_url"] = nil, nil
		delete(o, "label")
		if e.Label != "" {
			o["label"] = object{"name": e.Label, "color": "ededed"}
		}
		list = append(list, o)
	}
	return answer{status: http.StatusOK, header: header, body: list}
}
