package fakegithub

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// RunApproval is the answer of a person who was asked whether a run may use environments.
type RunApproval struct {
	User         string
	State        string // default: "approved"
	Comment      string
	Environments []string
}

// run is a run of a workflow.
type run struct {
	created   time.Time
	approvals []RunApproval
}

// AddRun starts a run of a workflow, at the server's time.
func (r *Repository) AddRun(id int64) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.runs[id] = &run{created: r.server.now()}
}

// AnswerRun approves or rejects environments that a run waits for.
func (r *Repository) AnswerRun(id int64, approval RunApproval) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	run := r.runs[id]
	if run == nil {
		r.server.report("fakegithub: %s has no run %d", r.name, id)
		return
	}
	if approval.State == "" {
		approval.State = "approved"
	}
	approval.Environments = slices.Clone(approval.Environments)
	run.approvals = append(run.approvals, approval)
}

// askedRun is the run that a call is about, or nil.
func (s *Server) askedRun(c call) (int64, *run) {
	id, _ := strconv.ParseInt(c.PathValue("run_id"), 10, 64) // the description says it is a number
	return id, s.repository(c).runs[id]
}

func (s *Server) getRun(c call) answer {
	id, run := s.askedRun(c)
	if run == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	o, err := exampleOf("workflow-run")
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	o["id"], o["created_at"], o["run_started_at"] = id, timestamp(run.created), timestamp(run.created)
	return answer{status: http.StatusOK, body: o}
}

func (s *Server) listRunApprovals(c call) answer {
	_, run := s.askedRun(c)
	if run == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	list := []object{}
	for _, a := range run.approvals {
		o, err := exampleOf("environment-approvals-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		example := o["environments"].([]any)[0].(object)
		environments := []object{}
		for _, name := range a.Environments {
			e := copyOf(example)
			e["name"], e["id"] = name, hash(name)
			environments = append(environments, e)
		}
		o["state"], o["comment"], o["environments"] = a.State, a.Comment, environments
		o["user"] = simpleUser(o["user"].(object), a.User)
		list = append(list, o)
	}
	return answer{status: http.StatusOK, body: list}
}
