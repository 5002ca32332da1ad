package fakegithub

import "net/http"

func (s *Server) issueAnswer(status int, r *Repository, i *issue) answer {
	example, err := exampleOf("issue")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	o := s.issueObject(r, i, example)
	a := answer{status: status, body: o}
	if status == http.StatusCreated {
		a.header = http.Header{"Location": {o["url"].(string)}}
	}
	return a
}

// issueObject is an issue or a pull request in JSON: a copy of GitHub's example in which the
// fields that matter have their current values.
func (s *Server) issueObject(r *Repository, i *issue, example object) object {
	o := copyOf(example)
	user := o["user"].(object)
	url := s.link(false, "/repos/%s/issues/%d", r.name, i.Number)
	labels, assignees := []object{}, []object{}
	for _, label := range i.Labels {
		labels = append(labels, s.labelObject(r, label))
	}
	for _, login := range i.Assignees {
		assignees = append(assignees, simpleUser(user, login))
	}
	for field, value := range (object{
		"number":             i.Number,
		"title":              i.Title,
		"body":               i.Body,
		"state":              i.State,
		"state_reason":       nil,
		"user":               simpleUser(user, i.Author),
		"labels":             labels,
		"assignees":          assignees,
		"assignee":           nil,
		"milestone":          nil,
		"locked":             i.Locked,
		"active_lock_reason": nil,
		"comments":           len(i.comments),
		"created_at":         timestamp(i.Created),
		"updated_at":         timestamp(i.Updated),
		"closed_at":          nil,
		"closed_by":          nil,
		"url":                url,
		"html_url":           s.link(true, "/%s/%s/%d", r.name, i.page(), i.Number),
		"repository_url":     s.link(false, "/repos/%s", r.name),
		"labels_url":         url + "/labels{/name}",
		"comments_url":       url + "/comments",
		"events_url":         url + "/events",
	}) {
		o[field] = value
	}
	delete(o, "pull_request")
	if i.pull != nil {
		api, page := s.link(false, "/repos/%s/pulls/%d", r.name, i.Number), o["html_url"].(string)
		o["pull_request"] = object{"url": api, "html_url": page, "diff_url": page + ".diff", "patch_url": page + ".patch"}
	}
	if i.Body == "" {
		o["body"] = nil
	}
	if i.StateReason != "" {
		o["state_reason"] = i.StateReason
	}
	if len(assignees) > 0 {
		o["assignee"] = assignees[0]
	}
	if i.State == "closed" {
		o["closed_at"] = timestamp(i.Closed)
		if i.ClosedBy != "" {
			o["closed_by"] = simpleUser(user, i.ClosedBy)
		}
	}
	return o
}
