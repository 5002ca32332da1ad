package gha

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// payloadLimit is the size in bytes of the largest event payload that is read.
// GitHub caps a payload at 25 MB,
// https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap.
const payloadLimit = 32 << 20

// Event is what started the workflow run. The part that belongs to the event is
// set, the others are nil.
type Event struct {
	Name          string // such as "pull_request"
	DefaultBranch string // of the repository
	// PullRequest is set for pull_request, pull_request_target, and the other
	// events about one.
	PullRequest *PullRequest
	Push        *Push
	MergeGroup  *MergeGroup
	Issue       *Issue // set for issues
	// Inputs are those of workflow_dispatch; a value that is not text is
	// given as JSON.
	Inputs map[string]string
}

// PullRequest is the pull request that an event is about, at the time of the event.
type PullRequest struct {
	Action string // such as "opened", "synchronize", "closed"
	Number int
	Title  string
	Author string // login; empty when the account is gone
	Merged bool
	// MergeCommitSHA is the merged commit once Merged is true. Before, it is
	// that of a trial merge, or empty.
	MergeCommitSHA string
	Head, Base     Branch
	// Fork is true when the head is not in the base's repository, or its
	// repository is gone. The author then needs no permission on this one.
	Fork bool
}

// Branch is one side of a pull request.
type Branch struct {
	SHA        string
	Ref        string // the branch's name, without refs/heads/
	Repository string // owner/name; empty when it is gone
}

// Push is an update of a branch or tag.
type Push struct {
	Ref string // such as refs/heads/main
	// Before and After are commits; forty zeroes where there is none.
	Before, After string
	Deleted       bool
}

// MergeGroup is a trial merge of a merge queue.
type MergeGroup struct {
	HeadSHA, BaseSHA string
}

// Issue is the issue that an event is about. What it is like by now, only GitHub knows.
type Issue struct {
	Action string // such as "labeled", "closed"
	Number int
	Label  string // of "labeled" and "unlabeled": the one
	Sender string // login of who did it
}

// Event reads the payload of the event that started the run.
func (r *Runtime) Event() (Event, error) {
	event, err := r.readEvent()
	if err != nil {
		return Event{}, fmt.Errorf("read the event that started the run: %w", err)
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

// payload is what is read of a payload,
// https://docs.github.com/webhooks/webhook-events-and-payloads.
type payload struct {
	Action     string `json:"action"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`

	PullRequest *struct {
		Number         int    `json:"number"`
		Title          string `json:"title"`
		Merged         bool   `json:"merged"`
		MergeCommitSHA string `json:"merge_commit_sha"`
		User           *struct {
			Login string `json:"login"`
		} `json:"user"`
		Head payloadBranch `json:"head"`
		Base payloadBranch `json:"base"`
	} `json:"pull_request"`

	Ref     string `json:"ref"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Deleted bool   `json:"deleted"`

	MergeGroup *struct {
		HeadSHA string `json:"head_sha"`
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

	Inputs map[string]json.RawMessage `json:"inputs"`
}

type payloadBranch struct {
	SHA  string `json:"sha"`
	Ref  string `json:"ref"`
	Repo *struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
	} `json:"repo"` // null once it is deleted
}

func (p *payload) event(name string) (Event, error) {
	event := Event{Name: name, DefaultBranch: p.Repository.DefaultBranch}
	if pull := p.PullRequest; pull != nil {
		event.PullRequest = &PullRequest{
			Action:         p.Action,
			Number:         pull.Number,
			Title:          pull.Title,
			Merged:         pull.Merged,
			MergeCommitSHA: pull.MergeCommitSHA,
			Head:           pull.Head.branch(),
			Base:           pull.Base.branch(),
			Fork:           differs(pull.Head, pull.Base),
		}
		if pull.User != nil {
			event.PullRequest.Author = pull.User.Login
		}
	}
	switch name {
	case "push":
		event.Push = &Push{Ref: p.Ref, Before: p.Before, After: p.After, Deleted: p.Deleted}
	case "merge_group":
		if p.MergeGroup == nil {
			return Event{}, fmt.Errorf("the payload of a merge_group event has no merge_group")
		}
		event.MergeGroup = &MergeGroup{HeadSHA: p.MergeGroup.HeadSHA, BaseSHA: p.MergeGroup.BaseSHA}
	case "issues":
		if p.Issue == nil {
			return Event{}, fmt.Errorf("the payload of an issues event has no issue")
		}
		event.Issue = &Issue{Action: p.Action, Number: p.Issue.Number, Label: p.Label.Name, Sender: p.Sender.Login}
	case "pull_request", "pull_request_target":
		if p.PullRequest == nil {
			return Event{}, fmt.Errorf("the payload of a %s event has no pull_request", name)
		}
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

func (b payloadBranch) branch() Branch {
	branch := Branch{SHA: b.SHA, Ref: b.Ref}
	if b.Repo != nil {
		branch.Repository = b.Repo.FullName
	}
	return branch
}

// differs reports whether two branches are in different repositories, or may be.
func differs(a, b payloadBranch) bool {
	return a.Repo == nil || b.Repo == nil || a.Repo.ID != b.Repo.ID ||
		!strings.EqualFold(a.Repo.FullName, b.Repo.FullName)
}
