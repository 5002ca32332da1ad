package gha

import (
	"fmt"
	"strconv"
)

// Context is what the runner says about the run, from its default variables,
// https://docs.github.com/actions/reference/workflows-and-actions/variables.
// Values that are not set are empty or 0.
type Context struct {
	Repository string // owner/name
	RunID      string
	RunAttempt int // 1 for the first; a re-run has the same ID and the next number
	// RunURL is the address of this attempt's page; empty if the run is not known.
	RunURL string
	// Actor started the run, and TriggeringActor started this attempt. A re-run has
	// the permissions of Actor.
	Actor, TriggeringActor string
	Workspace              string // where the repository is checked out
	TempDir                string // the runner empties it before and after each job
	ToolCache              string // shared by all jobs of the runner
	// SHA is the commit that the event is about. For pull_request that is the
	// trial merge with the base branch, not the head: see [PullRequest].
	SHA       string
	Ref       string // such as refs/heads/main
	EventName string
	ServerURL string // such as https://github.com
	APIURL    string // such as https://api.github.com
}

// Context returns what the runner says about the run.
func (r *Runtime) Context() Context {
	c := Context{
		Repository:      r.env["GITHUB_REPOSITORY"],
		RunID:           r.env["GITHUB_RUN_ID"],
		Actor:           r.env["GITHUB_ACTOR"],
		TriggeringActor: r.env["GITHUB_TRIGGERING_ACTOR"],
		Workspace:       r.env["GITHUB_WORKSPACE"],
		TempDir:         r.env["RUNNER_TEMP"],
		ToolCache:       r.env["RUNNER_TOOL_CACHE"],
		SHA:             r.env["GITHUB_SHA"],
		Ref:             r.env["GITHUB_REF"],
		EventName:       r.env["GITHUB_EVENT_NAME"],
		ServerURL:       r.env["GITHUB_SERVER_URL"],
		APIURL:          r.env["GITHUB_API_URL"],
	}
	// Written by the runner as a decimal number; 0 stands for anything else.
	c.RunAttempt, _ = strconv.Atoi(r.env["GITHUB_RUN_ATTEMPT"])
	if c.ServerURL != "" && c.Repository != "" && c.RunID != "" {
		c.RunURL = fmt.Sprintf("%s/%s/actions/runs/%s", c.ServerURL, c.Repository, c.RunID)
		if c.RunAttempt > 0 {
			c.RunURL += fmt.Sprintf("/attempts/%d", c.RunAttempt)
		}
	}
	return c
}
