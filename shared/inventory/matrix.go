package inventory

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxMatrix is how many jobs a matrix can make.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
const maxMatrix = 256

type entry struct {
	Name      string `json:"name"` // for the job's name
	Component string `json:"component"`
	Stack     string `json:"stack"`
	// Targets is the value for the actions' input `targets`.
	Targets string `json:"targets"`
}

// Matrix is the value for a job's strategy.matrix, as JSON: an entry for each target. If
// there are more than maxMatrix, each entry is a group of targets, of nearly equal size. Such
// an entry has no component and stack, but `targets` names them. Without targets the list is
// empty, and GitHub does not run the job.
func Matrix(names []Name) (string, error) {
	include := []entry{}
	jobs := min(len(names), maxMatrix)
	for i := range jobs {
		group := names[i*len(names)/jobs : (i+1)*len(names)/jobs]
		list, err := FormatTargets(group)
		if err != nil {
			return "", err
		}
		e := entry{Name: group[0].String(), Component: group[0].Component, Stack: group[0].Stack, Targets: list}
		if len(group) > 1 {
			e = entry{Name: fmt.Sprintf("%s and %d more", group[0], len(group)-1), Targets: list}
		}
		include = append(include, e)
	}
	return encode(map[string]any{"include": include})
}

type named struct {
	Component string `json:"component"`
	Stack     string `json:"stack"`
}

// FormatTargets lists targets as the actions' input `targets` takes them.
func FormatTargets(names []Name) (string, error) {
	list := []named{}
	for _, n := range names {
		list = append(list, named(n))
	}
	return encode(list)
}

func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// ParseTargets reads the input `targets`.
func ParseTargets(text string) ([]Name, error) {
	if text == "" {
		return nil, nil
	}
	var list []named
	err := json.Unmarshal([]byte(text), &list)
	var names []Name
	for _, n := range list {
		if n.Component == "" || n.Stack == "" {
			err = errors.New("a target has no component or no stack")
		}
		names = append(names, Name(n))
	}
	if err == nil && len(names) == 0 {
		err = errors.New("it has none")
	}
	if err != nil {
		return nil, problem.With(problem.Input, fmt.Errorf(`input `+"`targets`"+` is a list of targets in JSON, [{"component": "network", "stack": "acme-ue2-dev"}], as an entry of the output `+"`matrix`"+` has it: %w`, err))
	}
	return names, nil
}
