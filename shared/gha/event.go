package gha

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// payloadLimit is the size in bytes of the largest event payload that is read.
// GitHub caps a payload at 25 MB,
// https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap.
const payloadLimit = 32 << 20

// Event is the event that started the workflow run. Only the part that belongs to it is set;
// the others are nil.
type Event struct {
	Name          string // such as "pull_request"
	DefaultBranch string // the repository's
	// PullRequest is set for pull_request, pull_request_target, and other events about
	// a pull request.
	PullRequest        *PullRequest
	Push               *Push
	MergeGroup         *MergeGroup
	Issue              *Issue // set for issues
	RepositoryDispatch *RepositoryDispatch
	// Inputs are the inputs of workflow_dispatch. A value that is not text is given as
	// JSON.
	Inputs map[string]string
}

// PullRequest is the pull request that an event is about, at the time of the event.
type PullRequest struct {
	Action string // such as "opened", "synchronize", "closed"
	Number int
	Title  string // as a person typed it: escape it before you show it
	Author string // the login; empty if the account is gone
	Label  string // the label, if Action is "labeled" or "unlabeled"
	Labels []string
	Draft  bool
	Merged bool
	// MergeCommitSHA is the merged commit if Merged is true. Otherwise it is the
	// commit of a trial merge, or empty.
	MergeCommitSHA string
	Head, Base     Branch
	// Fork is true if the head is in another repository than the base, or its
	// repository was deleted. Its author may have no permission in the base's repository.
	Fork bool
}

// Branch is one side of a pull request.
type Branch struct {
	SHA string
	Ref string // the branch's name, without refs/heads/
}

// Push is an update of a branch or tag.
type Push struct {
	Before string // the commit before the push; forty zeroes if there was none
}

// MergeGroup is a trial merge of a merge queue.
type MergeGroup struct {
	// BaseSHA is the commit that HeadSHA was made on: the base branch's or, if others are
	// before it in the queue, the trial merge of the last one of these.
	HeadSHA, BaseSHA string
	HeadRef          string // such as refs/heads/gh-readonly-queue/main/pr-7-4f1c…
	// PullRequest is the number of the pull request that is merged. It is read from
	// HeadRef, since GitHub gives it nowhere else; 0 if HeadRef has another form.
	PullRequest int
}

// RepositoryDispatch is an event that a program sent through GitHub's API. Anybody who may
// write to the repository may send anything: ask GitHub before you rely on it.
type RepositoryDispatch struct {
	// PullRequest is client_payload's pull_request, a number or text with its digits; 0 if
	// it is missing, or something else.
	PullRequest int
}

// Issue is the issue that an event is about. It may have changed since: ask GitHub.
type Issue struct {
	Action string // such as "labeled", "closed"
	Number int
	Label  string // the label, if Action is "labeled" or "unlabeled"
	Sender string // the login of the person or app that did it
}

// Event reads the payload of the event that started the run.
func (r *Runtime) Event() (Event, error) {
	event, err := r.readEvent()
	if err != nil {
		return Event{}, problem.With(problem.Runner, fmt.Errorf("read the event that started the run: %w", err))
	}
	return event, nil
}

func (r *Runtime) readEvent() (Event, error) {
	path := r.env["GITHUB_EVENT_PATH"]
	if path == "" {
		return Event{}, fmt.Errorf("GITHUB_EVENT_PATH is not set: run this as a step of a GitHub workflow")
	}
	file, err := os.Open(path)
	if err != nil {
		return Event{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, payloadLimit+1))
	if err != nil {
		return Event{}, err
	}
	if len(text) > payloadLimit {
		return Event{}, fmt.Errorf("%s has more than %d bytes", path, payloadLimit)
	}
	var payload payload
	if err := json.Unmarshal(text, &payload); err != nil {
		return Event{}, fmt.Errorf("%s: %w", path, err)
	}
	return payload.event(r.env["GITHUB_EVENT_NAME"])
}

// payload is the part of a payload that is read,
// https://docs.github.com/webhooks/webhook-events-and-payloads.
type payload struct {
	Action     string `json:"action"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`

	PullRequest *struct {
		Number int    `json:"number"`
		Title  string `json:"title"`
		User   struct {
			Login string `json:"login"`
		} `json:"user"`
		Labels []struct {
			Name string `json:"name"`
		} `json:"labels"`
		Draft          bool          `json:"draft"`
		Merged         bool          `json:"merged"`
		MergeCommitSHA string        `json:"merge_commit_sha"`
		Head           payloadBranch `json:"head"`
		Base           payloadBranch `json:"base"`
	} `json:"pull_request"`

	Before string `json:"before"`

	MergeGroup *struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
	} `json:"merge_group"`

	Issue *struct {
		Number int `json:"number"`
	} `json:"issue"`
	Label struct {
		Name string `json:"name"`
	} `json:"label"`
	Sender struct {
		Login string `json:"login"`
	} `json:"sender"`

	Inputs        map[string]json.RawMessage `json:"inputs"`
	ClientPayload json.RawMessage            `json:"client_payload"`
}

type payloadBranch struct {
	SHA  string `json:"sha"`
	Ref  string `json:"ref"`
	Repo *struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
	} `json:"repo"` // null if it was deleted
}

func (p *payload) event(name string) (Event, error) {
	event := Event{Name: name, DefaultBranch: p.Repository.DefaultBranch}
	if pull := p.PullRequest; pull != nil {
		event.PullRequest = &PullRequest{
			Action:         p.Action,
			Number:         pull.Number,
			Title:          pull.Title,
			Author:         pull.User.Login,
			Label:          p.Label.Name,
			Draft:          pull.Draft,
			Merged:         pull.Merged,
			MergeCommitSHA: pull.MergeCommitSHA,
			Head:           pull.Head.branch(),
			Base:           pull.Base.branch(),
			Fork:           differs(pull.Head, pull.Base),
		}
		for _, l := range pull.Labels {
			event.PullRequest.Labels = append(event.PullRequest.Labels, l.Name)
		}
	}
	switch name {
	case "push":
		event.Push = &Push{Before: p.Before}
	case "merge_group":
		if p.MergeGroup == nil {
			return Event{}, fmt.Errorf("the payload of a merge_group event has no merge_group")
		}
		event.MergeGroup = &MergeGroup{
			HeadSHA: p.MergeGroup.HeadSHA, BaseSHA: p.MergeGroup.BaseSHA,
			HeadRef: p.MergeGroup.HeadRef, PullRequest: queued(p.MergeGroup.HeadRef),
		}
	case "issues":
		if p.Issue == nil {
			return Event{}, fmt.Errorf("the payload of an issues event has no issue")
		}
		event.Issue = &Issue{Action: p.Action, Number: p.Issue.Number, Label: p.Label.Name, Sender: p.Sender.Login}
	case "pull_request", "pull_request_target":
		if p.PullRequest == nil {
			return Event{}, fmt.Errorf("the payload of a %s event has no pull_request", name)
		}
	case "repository_dispatch":
		event.RepositoryDispatch = p.dispatched()
	case "workflow_dispatch":
		event.Inputs = make(map[string]string, len(p.Inputs))
		for name, value := range p.Inputs {
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = string(value)
			}
			event.Inputs[name] = text
		}
	}
	return event, nil
}

// queueBranch is how GitHub names the branch of a merge queue's trial merge. The base's name
// may have slashes.
// https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
var queueBranch = regexp.MustCompile(`^refs/heads/gh-readonly-queue/.+/pr-([0-9]+)-[0-9a-f]+$`)

// queued is the number of the pull request that a merge queue's branch is for, or 0.
func queued(ref string) int {
	m := queueBranch.FindStringSubmatch(ref)
	if m == nil {
		return 0
	}
	number, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return number
}

// dispatched reads our part of a client_payload, which may hold anything.
func (p *payload) dispatched() *RepositoryDispatch {
	d := &RepositoryDispatch{}
	var fields map[string]json.RawMessage
	if json.Unmarshal(p.ClientPayload, &fields) != nil {
		return d
	}
	digits := strings.Trim(string(fields["pull_request"]), `"`)
	if number, err := strconv.ParseUint(digits, 10, 31); err == nil {
		d.PullRequest = int(number)
	}
	return d
}

func (b payloadBranch) branch() Branch {
	return Branch{SHA: b.SHA, Ref: b.Ref}
}

// differs reports whether two branches are in different repositories, or may be.
func differs(a, b payloadBranch) bool {
	return a.Repo == nil || b.Repo == nil || a.Repo.ID != b.Repo.ID ||
		!strings.EqualFold(a.Repo.FullName, b.Repo.FullName)
}
