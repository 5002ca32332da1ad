package fakegithub

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Labels lists the labels that the repository has, in the order in which they were made.
func (r *Repository) Labels() []string {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return slices.Clone(r.labels)
}

func (i *issue) has(label string) bool {
	return slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, label) })
}

// label adds a label to an issue, in the repository's spelling. A new label is added to the
// repository, too.
func (r *Repository) label(i *issue, actor, name string) {
	at := slices.IndexFunc(r.labels, func(l string) bool { return strings.EqualFold(l, name) })
	if at < 0 {
		at = len(r.labels)
		r.labels = append(r.labels, name)
	}
	if i.has(name) {
		return
	}
	i.Labels = append(i.Labels, r.labels[at])
	i.Updated = r.server.now()
	r.event(i, Event{Kind: "labeled", Actor: actor, Label: r.labels[at]})
}

// unlabel removes a label, and reports whether the issue had it.
func (r *Repository) unlabel(i *issue, actor, name string) bool {
	at := slices.IndexFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, name) })
	if at < 0 {
		return false
	}
	was := i.Labels[at]
	i.Labels = slices.Delete(i.Labels, at, at+1)
	i.Updated = r.server.now()
	r.event(i, Event{Kind: "unlabeled", Actor: actor, Label: was})
	return true
}

func (r *Repository) setLabels(i *issue, actor string, names []string) {
	for _, label := range slices.Clone(i.Labels) {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, label) }) {
			r.unlabel(i, actor, label)
		}
	}
	for _, name := range names {
		r.label(i, actor, name)
	}
}

func (s *Server) addLabels(c call) answer {
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	r := s.repository(c)
	var fields struct{ Labels []string }
	if err := json.Unmarshal(c.body, &fields); err != nil {
		s.report("fakegithub: a form of %s %s that is not served: %v", c.Method, c.URL, err)
	}
	for _, label := range fields.Labels {
		r.label(i, c.account.login, label)
	}
	return answer{status: http.StatusOK, body: s.labelObjects(r, i)}
}

func (s *Server) removeLabel(c call) answer {
	i, refused := s.asked(c)
	if i == nil {
		return refused
	}
	r := s.repository(c)
	if !r.unlabel(i, c.account.login, c.PathValue("name")) {
		return failure(http.StatusNotFound, "Label does not exist")
	}
	return answer{status: http.StatusOK, body: s.labelObjects(r, i)}
}

func (s *Server) labelObjects(r *Repository, i *issue) []object {
	list := []object{}
	for _, label := range i.Labels {
		list = append(list, s.labelObject(r, label))
	}
	return list
}

func (s *Server) labelObject(r *Repository, name string) object {
	return object{
		"id": hash(r.name + "\x00" + strings.ToLower(name)), "node_id": "MDU6TGFiZWw=",
		"url":  s.link(false, "/repos/%s/labels/%s", r.name, url.PathEscape(name)),
		"name": name, "description": nil, "color": "ededed", "default": false,
	}
}
