package changes

import (
	"errors"
	"fmt"
	"slices"
)

// actions is what a list of actions says will happen to one object.
type actions struct {
	action      Action
	createFirst bool // for Replace
	forgets     bool // for Replace: the old object is forgotten, not destroyed
}

// actionsByRank orders actions by what a reviewer must not overlook, the most
// dangerous first.
var actionsByRank = [...]Action{Delete, Replace, Forget, Update, Create, Import, Move, ReadData, NoOp}

const ranks = len(actionsByRank)

// rank is the position of the action in actionsByRank.
func (a Action) rank() int { return slices.Index(actionsByRank[:], a) }

// readActions reads a change's list of actions: those of Terraform's
// internal/command/jsonplan, actionString and UnmarshalActions, and OpenTofu's.
//
//   - ["create","forget"] (Terraform 1.12) and ["forget","create"] (OpenTofu
//     1.12) replace an object whose configuration says `destroy = false`: the
//     old object continues to exist, but is not managed any more.
//   - ["open"] is an ephemeral resource in OpenTofu's plan. OpenTofu uses it
//     itself and does not count it. It changes nothing.
//
// Any other list is an error: a newer Terraform may have a new action, and a
// guess could make the counts wrong.
func readActions(t *tree, list int32) (actions, error) {
	if t.kind(list) != '[' {
		return actions{}, errors.New("its actions are not a list")
	}
	var words [2]string
	n := 0
	for c := range t.children(list) {
		if t.kind(c) != '"' || n == len(words) {
			n = 0
			break
		}
		words[n] = string(t.str(c))
		n++
	}
	switch {
	case n == 1:
		switch words[0] {
		case "create", "read", "update", "delete", "forget", "no-op":
			return actions{action: Action(words[0])}, nil
		case "open":
			return actions{action: NoOp}, nil
		}
	case n == 2:
		switch words {
		case [2]string{"delete", "create"}:
			return actions{action: Replace}, nil
		case [2]string{"create", "delete"}:
			return actions{action: Replace, createFirst: true}, nil
		case [2]string{"create", "forget"}:
			return actions{action: Replace, createFirst: true, forgets: true}, nil
		case [2]string{"forget", "create"}:
			return actions{action: Replace, forgets: true}, nil
		}
	}
	return actions{}, fmt.Errorf("unknown actions %s: the plan may come from a newer Terraform or OpenTofu than this version knows", cutText(string(t.text(list)), 100))
}
