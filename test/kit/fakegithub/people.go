package fakegithub

// What people do on GitHub's pages. What can't be done is reported as an error of the test.

// acted is the issue that somebody changes, or nil; the server's lock is held.
func (r *Repository) acted(number int, to string) *issue {
	i := r.issue(number)
	if i == nil || i.deleted || i.in != nil {
		r.server.report("fakegithub: %s has no issue #%d to %s", r.name, number, to)
		return nil
	}
	return i
}

// CloseIssue closes an issue as completed.
func (r *Repository) CloseIssue(number int, actor string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "close"); i != nil {
		r.setState(i, actor, "closed", "")
	}
}

// ReopenIssue opens a closed issue again.
func (r *Repository) ReopenIssue(number int, actor string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "reopen"); i != nil {
		r.setState(i, actor, "open", "")
	}
}

// EditIssue changes title and body. An empty title leaves the title as it is.
func (r *Repository) EditIssue(number int, title, body string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "edit"); i != nil {
		if title != "" {
			i.Title = title
		}
		i.Body, i.Updated = body, r.server.now()
	}
}

// Label adds a label to an issue, and to the repository if it is new.
func (r *Repository) Label(number int, actor, label string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "label"); i != nil {
		r.label(i, actor, label)
	}
}

// Unlabel removes a label from an issue, if it has it.
func (r *Repository) Unlabel(number int, actor, label string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "take a label off"); i != nil {
		r.unlabel(i, actor, label)
	}
}

// LockIssue locks the conversation; see UnlockIssue.
func (r *Repository) LockIssue(number int) { r.setLock(number, true) }

// UnlockIssue unlocks the conversation.
func (r *Repository) UnlockIssue(number int) { r.setLock(number, false) }

func (r *Repository) setLock(number int, locked bool) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "lock"); i != nil {
		i.Locked, i.Updated = locked, r.server.now()
	}
}

// DeleteIssue deletes an issue.
func (r *Repository) DeleteIssue(number int) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	if i := r.acted(number, "delete"); i != nil {
		i.deleted = true
	}
}

// TransferIssue moves an issue to another repository of the same owner, with its comments, its
// history, and the labels that the other repository also has. It returns the number there.
func (r *Repository) TransferIssue(number int, to *Repository) int {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	i := r.acted(number, "transfer")
	if i == nil {
		return 0
	}
	there := *i
	there.Issue = i.snapshot()
	there.Labels = nil
	for _, label := range i.Labels {
		for _, known := range to.labels {
			if known == label {
				there.Labels = append(there.Labels, label)
			}
		}
	}
	there.Number, there.Updated = len(to.issues)+1, r.server.now()
	to.issues = append(to.issues, &there)
	for _, c := range there.comments {
		c.issue = &there
	}
	i.in, i.as, i.comments = to, there.Number, nil
	return there.Number
}
